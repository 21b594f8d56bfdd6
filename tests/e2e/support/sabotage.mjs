// Ways to make a page's own program fail, as a hostile extension or a mistake in it could.

/** Whatever is made or put into the document throws, so that the next change of the page ends in a panic. */
export function breakDocument(page) {
  return page.evaluate(() => {
    const fail = () => {
      throw new Error("sabotage");
    };
    const broken = [
      [Document.prototype, ["createElement", "createElementNS", "createTextNode", "createComment", "importNode"]],
      [Node.prototype, ["insertBefore", "appendChild", "replaceChild", "cloneNode"]],
      [Element.prototype, ["before", "after", "append", "prepend", "replaceWith"]],
    ];
    const genuine = broken.flatMap(([prototype, names]) => names.map((name) => [prototype, name, prototype[name]]));
    for (const [prototype, name] of genuine) prototype[name] = fail;
    globalThis.mendDocument = () => genuine.forEach(([prototype, name, method]) => (prototype[name] = method));
  });
}

/** Takes back what `breakDocument` did. */
export const mendDocument = (page) => page.evaluate(() => globalThis.mendDocument());

/** What is printed when that has happened: the source line, and what browsers say of a program that trapped. */
export const PANIC = [/^error: panic at /, /^uncaught: .*(sabotage|unreachable)/];
