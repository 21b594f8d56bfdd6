// One stylesheet instead of several: one request, one hash in the page, and what they have in common compresses.

import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { elements, isLink } from "./html.mjs";

/**
 * Joins the stylesheets of a page in their order, in the place of the first.
 *
 * @param {string} html the page
 * @param {string} root the directory of the site
 * @param {string} publicUrl where the site will live
 * @returns {string} the page with one link
 */
export function joinStyles(html, root, publicUrl) {
  const links = elements(html).filter((element) => isLink(element, "stylesheet"));
  if (links.length < 2) return html;
  const files = links.map(({ attributes }) => join(root, attributes.href.slice(publicUrl.length)));
  const style = files.map((file) => readFileSync(file, "utf8")).join("\n");
  for (const file of files) rmSync(file);

  const hash = (encoding) => createHash("sha256").update(style).digest(encoding);
  const name = `style-${hash("hex").slice(0, 16)}.css`;
  writeFileSync(join(root, name), style);
  const link = `<link href=${publicUrl}${name} integrity="sha256-${hash("base64")}" rel=stylesheet>`;
  return links.reduceRight((page, { start, end }, index) => page.slice(0, start) + (index === 0 ? link : "") + page.slice(end), html);
}
