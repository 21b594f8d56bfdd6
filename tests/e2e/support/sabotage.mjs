// Ways to make a page's own program fail, as a hostile extension or a mistake in it could.

/**
 * Part of what changes a document throws, so that the next change of the page ends the program.
 *
 * @param {"tree" | "factory"} [part] putting things into the document, or making them
 */
export function breakDocument(page, part = "tree") {
  return page.evaluate((part) => {
    const fail = () => {
      throw new Error("sabotage");
    };
    const broken = {
      factory: [[Document.prototype, ["createElement", "createElementNS", "createTextNode", "createComment", "importNode"]]],
      tree: [
        [Node.prototype, ["insertBefore", "appendChild", "replaceChild", "cloneNode"]],
        [Element.prototype, ["before", "after", "append", "prepend", "replaceWith"]],
      ],
    }[part];
    const genuine = broken.flatMap(([prototype, names]) => names.map((name) => [prototype, name, prototype[name]]));
    for (const [prototype, name] of genuine) prototype[name] = fail;
    globalThis.mendDocument = () => genuine.forEach(([prototype, name, method]) => (prototype[name] = method));
  }, part);
}

/** Takes back what `breakDocument` did. */
export const mendDocument = (page) => page.evaluate(() => globalThis.mendDocument());

/** What browsers say of a program that ended like this. */
export const PANIC = [/^uncaught: .*(sabotage|unreachable)/];
