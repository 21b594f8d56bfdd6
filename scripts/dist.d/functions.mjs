// The functions of a WebAssembly module: how long each is, and what it is called.

const IMPORT = 2;
const CODE = 10;
const DATA = 11;
const CUSTOM = 0;
const FUNCTION_NAMES = 1;

/**
 * @param {Buffer} module one that has a name section
 * @returns {{ functions: { name: string, octets: number }[], data: number }}
 */
export function functionSizes(module) {
  let at = 8;
  let [imported, data] = [0, 0];
  const lengths = [];
  const names = new Map();
  const number = () => {
    let [value, shift, octet] = [0, 0, 0x80];
    while (octet & 0x80) {
      octet = module[at++];
      value += (octet & 0x7f) * 2 ** shift;
      shift += 7;
    }
    return value;
  };
  const text = () => {
    const length = number();
    return module.toString("utf8", at, (at += length));
  };
  const sections = {
    [IMPORT]() {
      for (let left = number(); left > 0; left--) {
        text();
        text();
        const kind = module[at++];
        // What wasm-bindgen writes imports functions alone.
        if (kind !== 0) throw new Error("The module imports something else than functions.");
        number();
        imported += 1;
      }
    },
    [CODE]() {
      for (let left = number(); left > 0; left--) {
        const length = number();
        lengths.push(length);
        at += length;
      }
    },
    [DATA](length) {
      data = length;
    },
    [CUSTOM](length, end) {
      if (text() !== "name") return;
      while (at < end) {
        const kind = module[at++];
        const next = number() + at;
        if (kind === FUNCTION_NAMES) for (let left = number(); left > 0; left--) names.set(number(), text());
        at = next;
      }
    },
  };
  while (at < module.length) {
    const kind = module[at++];
    const length = number();
    const end = at + length;
    sections[kind]?.(length, end);
    at = end;
  }
  const functions = lengths.map((octets, index) => ({ name: names.get(imported + index) ?? "?", octets }));
  return { functions, data };
}

/** Crate and module of a function: the first of ours that its name has, else the first of all. */
export function groupOf(name) {
  const plain = name.replace(/\[[0-9a-f]{8,}\]/g, "");
  const [ours] = /\b(?:leptos_pkce|workbench)::\w+(?:::\w+)?/.exec(plain) ?? [];
  return ours ?? /\b[a-z]\w+(?=::)/.exec(plain)?.[0] ?? plain.slice(0, 40);
}
