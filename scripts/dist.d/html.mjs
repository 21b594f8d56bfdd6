// Reads a built page: just enough HTML for a document that we wrote and Trunk completed.

const TAG = /<!--[^]*?-->|<([a-z][a-z0-9-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const ATTRIBUTE = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
// What these hold is text, whatever it looks like.
const RAW_TEXT = new Set(["script", "style", "textarea", "title"]);

/**
 * The elements in document order.
 *
 * @returns {{ name: string, attributes: Record<string, string>, text: string, start: number, end: number }[]} `text` is
 *   what a raw-text element holds; `start` and `end` are the offsets of the start tag and of what follows it
 */
export function elements(html) {
  const found = [];
  TAG.lastIndex = 0;
  for (let match; (match = TAG.exec(html)); ) {
    if (!match[1]) continue; // a comment
    const name = match[1].toLowerCase();
    const end = TAG.lastIndex;
    const element = { name, attributes: attributes(match[2]), text: "", start: match.index, end };
    if (RAW_TEXT.has(name)) {
      const close = html.toLowerCase().indexOf(`</${name}`, end);
      if (close < 0) throw new Error(`<${name}> is never closed`);
      element.text = html.slice(end, close);
      TAG.lastIndex = close;
    }
    found.push(element);
  }
  return found;
}

/** Is this `<link rel="… rel …">`? */
export function isLink({ name, attributes }, ...rels) {
  return name === "link" && (attributes.rel ?? "").toLowerCase().split(/\s+/).some((rel) => rels.includes(rel));
}

function attributes(source) {
  const found = {};
  for (const [, name, ...values] of source.matchAll(ATTRIBUTE)) {
    found[name.toLowerCase()] = unescape(values.find((value) => value !== undefined) ?? "");
  }
  return found;
}

function unescape(value) {
  const characters = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return value.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => characters[name]);
}
