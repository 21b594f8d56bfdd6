// What a built page must be before a strict policy can be written for it, and before anybody should publish it.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { elements, isLink } from "./html.mjs";

/**
 * Checks the page and returns what the policy needs to know about it.
 *
 * @param {string} html
 * @param {string} root the directory that `publicUrl` stands for
 * @param {string} publicUrl with slashes at both ends
 * @returns {{ inlineScripts: string[], files: string[], dataImages: boolean, manifest: boolean, policyOffset: number }}
 *   `files` are the names of what the page loads; `policyOffset` is where the policy's meta element belongs
 * @throws {Error} a sentence
 */
export function inspectPage(html, root, publicUrl) {
  const all = elements(html);
  refuseWhatThePolicyForbids(all);

  const files = all.flatMap(asLoaded).map((element) => verifiedFile(element, root, publicUrl));
  return {
    inlineScripts: all.filter(isInlineScript).map(({ text }) => text),
    files,
    dataImages: all.some(isDataImage) || files.some((file) => file.endsWith(".css") && hasDataImage(join(root, file))),
    manifest: all.some((element) => isLink(element, "manifest")),
    policyOffset: placeForPolicy(all),
  };
}

function refuseWhatThePolicyForbids(all) {
  for (const { name, attributes } of all) {
    const handler = Object.keys(attributes).find((attribute) => attribute.startsWith("on"));
    if (handler) throw new Error(`<${name} ${handler}=…> is an inline event handler, which the policy forbids: listen from a script instead.`);
    if (name === "style" || "style" in attributes) throw new Error(`<${name}> holds inline style, which the policy forbids: put it into a stylesheet.`);
    if (name === "base") throw new Error("<base> would redirect every relative address: write absolute ones, as --public-url does.");
    if (attributes.href?.trimStart().toLowerCase().startsWith("javascript:")) {
      throw new Error(`<${name} href="javascript:…"> is an inline script, which the policy forbids.`);
    }
    if (attributes["http-equiv"]?.toLowerCase() === "content-security-policy") {
      throw new Error("The page brings a policy of its own: leave that to this build step.");
    }
  }
  const inline = all.filter(isInlineScript).length;
  if (inline > 1) throw new Error(`The page has ${inline} inline scripts; only the one that scrubs the address bar may be inline.`);
}

/** A policy in a meta element rules only what follows it, so it comes right after the encoding, and before everything that loads. */
function placeForPolicy(all) {
  const charset = all.findIndex(({ name, attributes }) => name === "meta" && "charset" in attributes);
  const referrer = all.findIndex(({ name, attributes }) => name === "meta" && attributes.name?.toLowerCase() === "referrer");
  const first = all.findIndex((element) => element.name === "script" || element.name === "link" || element.name === "img");
  if (charset < 0) throw new Error('The page lacks <meta charset="utf-8">, after which the policy is inserted.');
  if (first >= 0 && first < charset) throw new Error(`<${all[first].name}> stands before <meta charset>, where the policy would not rule it: move it down.`);
  if (all[referrer]?.attributes.content !== "no-referrer") throw new Error('The page lacks <meta name="referrer" content="no-referrer">.');
  if (first >= 0 && first < referrer) throw new Error(`<${all[first].name}> stands before <meta name="referrer"> and could leak the address: move it down.`);
  return all[charset].end;
}

function isInlineScript({ name, attributes }) {
  return name === "script" && !("src" in attributes);
}

/** Code and style, what the page fetches ahead of them, and the rest of the program, which the root element names. */
function asLoaded(element) {
  const { name, attributes } = element;
  if (name === "html" && attributes["data-rest"]) {
    return [{ name, attributes: { src: attributes["data-rest"], integrity: attributes["data-rest-integrity"] } }];
  }
  return (name === "script" && "src" in attributes) || isLink(element, "stylesheet", "modulepreload", "preload") ? [element] : [];
}

function isDataImage(element) {
  const { name, attributes } = element;
  return (name === "img" && attributes.src?.startsWith("data:")) || (isLink(element, "icon") && attributes.href?.startsWith("data:"));
}

function hasDataImage(stylesheet) {
  return /url\(\s*["']?data:/.test(readFileSync(stylesheet, "utf8"));
}

/** The name of the file that the element refers to; it must be one of this build and be what its integrity says. */
function verifiedFile({ name, attributes }, root, publicUrl) {
  const address = attributes.src ?? attributes.href;
  if (!address.startsWith(publicUrl) || address.startsWith("//")) {
    throw new Error(`<${name}> refers to ${address}, which is not below ${publicUrl}: everything that runs here is served from here.`);
  }
  if (!attributes.integrity) throw new Error(`<${name}> refers to ${address} without integrity: let Trunk write that (data-trunk).`);

  const file = address.slice(publicUrl.length);
  const [algorithm] = attributes.integrity.split("-");
  const actual = `${algorithm}-${createHash(algorithm).update(readFileSync(join(root, file))).digest("base64")}`;
  if (actual !== attributes.integrity) throw new Error(`${file} has the hash ${actual}, but the page says ${attributes.integrity}: build again.`);
  return file;
}
