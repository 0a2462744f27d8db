// Reads a parcel as it arrives (docs/spec/parcel.md): every byte of the tar, the members' hashes, both locks, the extract's size, hash and rows.
// Nothing is kept but the pieces that the caller's sink is given; what does not hold is a Fault that names its place.
import { Decrypter, sha256 } from "./vendor/age.js";
import { Fault, hex, joined, text } from "./identity.js";
import { signer } from "./sshsig.js";

const BLOCK = 512;
const OCTAL_LIMIT = 8 ** 11; // bytes from which a size is written in base 256
const MOST_SMALL = 1024 * 1024; // bytes of a member other than the extract
const QUOTE = 34, LINE_FEED = 10;
const NAMESPACE = "passerelle-manifest";
const AFTER = ["manifest.json", "manifest.json.sig", "manifest.tlog-proof", "LISEZMOI.txt", "README.txt"];

/** Takes exact numbers of bytes from a stream. */
class Source {
  constructor(stream, progress) { this.reader = stream.getReader(); this.left = new Uint8Array(0); this.taken = 0; this.progress = progress; }

  /** At most `most` bytes, at least one. */
  async some(most) {
    while (!this.left.length) {
      const { done, value } = await this.reader.read().catch(() => ({ done: true }));
      if (done) throw new Fault("cut");
      this.left = value;
    }
    const piece = this.left.subarray(0, most);
    this.left = this.left.subarray(piece.length);
    this.progress((this.taken += piece.length));
    return piece;
  }

  /** Refuse what comes after the end. */
  async insistOver() {
    while (!this.left.length) {
      const { done, value } = await this.reader.read().catch(() => { throw new Fault("cut"); });
      if (done) return;
      this.left = value;
    }
    throw bad("end");
  }

  async exactly(size) {
    const parts = [];
    for (let missing = size; missing > 0; ) {
      const piece = await this.some(missing);
      parts.push(piece);
      missing -= piece.length;
    }
    return joined(parts);
  }

  /** The next `size` bytes as a stream, seen by `hash`. */
  stream(size, hash) {
    let missing = size;
    return new ReadableStream({
      pull: async (controller) => {
        if (!missing) return controller.close();
        const piece = await this.some(missing);
        missing -= piece.length;
        hash.update(piece);
        controller.enqueue(piece);
      },
    }, { highWaterMark: 0 });
  }
}

const bad = (place) => new Fault("damaged", place);

/** The 512 bytes before a member's data: a function of its name, size and instant (docs/spec/parcel.md, section 1). */
export function header(name, size, instant) {
  const block = new Uint8Array(BLOCK), octal = (number, digits) => text(number.toString(8).padStart(digits, "0"));
  const put = (at, bytes) => block.set(bytes, at);
  put(0, text(name));
  put(100, text("0000644\0" + "0000000\0".repeat(2)));
  if (size < OCTAL_LIMIT) put(124, octal(size, 11));
  else put(124, [128, ...Array.from({ length: 11 }, (_, at) => Math.floor(size / 256 ** (10 - at)) % 256)]);
  put(136, octal(instant, 11));
  put(148, text(" ".repeat(8) + "0"));
  put(257, text("ustar\0" + "00"));
  put(329, text("0000000\0".repeat(2)));
  put(148, octal(block.reduce((sum, one) => sum + one, 0), 6));
  put(154, [0]);
  return block;
}

const figure = (digits) => (/^[0-7]{11}$/.test(digits) ? parseInt(digits, 8) : NaN);

/** The next member, whose header is the one that a parcel has, bit by bit: no other kind, no size below zero, no path. */
async function member(source) {
  const block = await source.exactly(BLOCK), said = (from, to) => new TextDecoder("latin1").decode(block.subarray(from, to));
  const name = said(0, 100).replace(/\0+$/, ""), instant = figure(said(136, 147));
  const size = block[124] === 128 ? Number(BigInt("0x" + hex(block.subarray(125, 136)))) : figure(said(124, 135));
  const safe = /^[A-Za-z][\w.-]*$/.test(name) && Number.isSafeInteger(size) && !Number.isNaN(instant);
  if (!safe || hex(header(name, size, instant)) !== hex(block)) throw bad("header");
  return { name, size, instant };
}

const padding = async (source, size, place) => {
  if ((await source.exactly(-size & (BLOCK - 1))).some((one) => one)) throw bad(place);
};

async function small(source, expected, at) {
  const { name, size, instant } = await member(source);
  if (name !== expected || size > MOST_SMALL || instant !== at) throw bad(expected);
  const data = await source.exactly(size);
  await padding(source, size, name);
  return data;
}

function unlocked(stream, opens) {
  const decrypter = new Decrypter();
  for (const one of opens) decrypter.addIdentity(one);
  return decrypter.decrypt(stream);
}

/** Counts records of a CSV file: line feeds outside quotes, and a last record without one. */
export class Rows {
  constructor() { this.lines = 0; this.quoted = false; this.ended = true; }

  update(piece) {
    if (this.quoted || piece.includes(QUOTE)) this.#outsideQuotes(piece);
    else for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, at + 1)) this.lines += 1;
    if (piece.length) this.ended = piece[piece.length - 1] === LINE_FEED;
  }

  #outsideQuotes(piece) {
    for (let at = 0; at < piece.length; at += 1) {
      if (piece[at] === QUOTE) this.quoted = !this.quoted;
      else if (piece[at] === LINE_FEED && !this.quoted) this.lines += 1;
    }
  }

  get count() { return Math.max(this.lines + (this.ended ? 0 : 1) - 1, 0); }
}

/**
 * Open the parcel that `stream` brings. `release` is the second lock's identity or null, `opens` are the visitor's identities,
 * `expected` the manifest's SHA-256 as the page has it, `signers` the fingerprints of the gateway's keys; `sink(piece)` is given the
 * plain bytes, which count for nothing before this returns the manifest and who signed it.
 */
export async function opened(stream, { release, opens, expected, signers, sink, progress }) {
  const source = new Source(stream, progress), sealed = sha256.create(), plain = sha256.create(), rows = new Rows();
  const first = await member(source);
  let size = 0;
  try {
    const cipher = source.stream(first.size, sealed);
    const inner = release ? await unlocked(cipher, [release]) : cipher;
    const reader = (await unlocked(inner, opens)).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      plain.update(next.value);
      rows.update(next.value);
      size += next.value.length;
      await sink(next.value);
    }
  } catch (fault) {
    throw fault instanceof Fault ? fault : bad(first.name);
  }
  await padding(source, first.size, first.name);
  const members = {};
  for (const name of AFTER) members[name] = await small(source, name, first.instant);
  if ((await source.exactly(2 * BLOCK)).some((one) => one)) throw bad("end");
  await source.insistOver();
  const manifest = read(members["manifest.json"], expected), signed = signer(members["manifest.json"], members["manifest.json.sig"], NAMESPACE);
  if (!signers.includes(signed)) throw bad("manifest.json.sig");
  if (first.instant !== Date.parse(manifest.created) / 1000) throw bad("header");
  insist(manifest, first.name, { sealed: hex(sealed.digest()), plain: hex(plain.digest()), size, rows: rows.count }, members);
  return { manifest, signed };
}

function read(data, expected) {
  if (hex(sha256(data)) !== expected) throw bad("manifest.json");
  return JSON.parse(new TextDecoder().decode(data));
}

function insist(manifest, name, found, members) {
  const [resource] = manifest.resources, terms = manifest.passerelle;
  if (name !== `${resource.path}.age` || terms.cipher_sha256 !== found.sealed) throw bad(name);
  for (const [notice, hash] of Object.entries(terms.notices)) {
    if (!members[notice] || `sha256:${hex(sha256(members[notice]))}` !== hash) throw bad(notice);
  }
  const whole = resource.bytes === found.size && resource.hash === `sha256:${found.plain}`;
  if (!whole || (resource.format === "csv" && resource.rows !== found.rows)) throw bad(resource.path);
}
