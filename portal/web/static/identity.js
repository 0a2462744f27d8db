// Private keys that a visitor chooses, read here and sent nowhere: age identity files, and OpenSSH Ed25519 keys without passphrase
// (OpenSSH, PROTOCOL.key). `Fault` carries the name of the sentence that the page shows.
import { Stanza, chacha20poly1305, ed25519, generateX25519Identity, hkdf, identityToRecipient, sha256, x25519 } from "./vendor/age.js";

export class Fault extends Error {
  constructor(word, detail = "") { super(word); this.word = word; this.detail = detail; }
}

export const text = (string) => new TextEncoder().encode(string);
export const joined = (parts) => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
  return whole;
};
export const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
export const base64 = (bytes) => btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
export const bytesOf = (encoded) => Uint8Array.from(atob(encoded.replace(/\s+/g, "")), (one) => one.charCodeAt(0));
const unpadded = (bytes) => base64(bytes).replace(/=+$/, "");
const uint32 = (number) => { const four = new Uint8Array(4); new DataView(four.buffer).setUint32(0, number); return four; };
// A string of the SSH wire format (RFC 4251 section 5).
export const wire = (bytes) => joined([uint32(bytes.length), bytes]);

const SSH = text("ssh-ed25519");
const BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----", END = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC = "openssh-key-v1\0";
const MOST_BYTES = 64 * 1024;
const AGE_LABEL = "age-encryption.org/v1/ssh-ed25519";

/** What a chosen file holds: `signer` (an SSH key) or `ages` (age identities), each with what opens age files. */
export async function readKey(file) {
  if (!file) throw new Fault("noFile");
  if (file.size > MOST_BYTES) throw new Fault("noIdentity");
  const said = await file.text();
  if (said.includes("PRIVATE KEY-----")) return [sshKey(said)];
  const lines = said.split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  if (!lines.length || !lines.every((line) => line.startsWith("AGE-SECRET-KEY-1"))) throw new Fault("noIdentity");
  try {
    return await Promise.all(lines.map(async (line) => {
      const recipient = await identityToRecipient(line);
      return { recipient, fingerprint: fingerprintOf(text(recipient)), opens: line };
    }));
  } catch {
    throw new Fault("damagedKey");
  }
}

export const fingerprintOf = (bytes) => "SHA256:" + unpadded(sha256(bytes));

function sshKey(said) {
  if (!said.includes(BEGIN)) throw new Fault(/RSA/.test(said) ? "rsa" : "noIdentity");
  try {
    return parsed(bytesOf(said.split(BEGIN)[1].split(END)[0]));
  } catch (fault) {
    throw fault instanceof Fault ? fault : new Fault("damagedKey");
  }
}

/** Reads the SSH wire format from its start. */
export function reader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const take = (size) => {
    if (at + size > bytes.length) throw new Fault("damagedKey");
    return bytes.subarray(at, (at += size));
  };
  const number = () => { take(4); return view.getUint32(at - 4); };
  return { take, number, string: () => take(number()) };
}

const word = (bytes) => new TextDecoder().decode(bytes);

function parsed(bytes) {
  const file = reader(bytes);
  if (word(file.take(MAGIC.length)) !== MAGIC) throw new Fault("damagedKey");
  const cipher = word(file.string());
  file.string();
  file.string();
  if (file.number() !== 1) throw new Fault("damagedKey");
  const kind = word(reader(file.string()).string());
  if (cipher !== "none") throw new Fault("passphrase");
  if (kind === "ssh-rsa") throw new Fault("rsa");
  if (kind !== "ssh-ed25519") throw new Fault("noIdentity");
  const secret = reader(file.string());
  if (secret.number() !== secret.number() || word(secret.string()) !== kind) throw new Fault("damagedKey");
  const open = secret.string(), seed = secret.string().slice(0, 32);
  if (hex(ed25519.getPublicKey(seed)) !== hex(open)) throw new Fault("damagedKey");
  return sshSigner(seed);
}

/** An Ed25519 key of that seed: it signs, and opens age files that were encrypted to it. */
function sshSigner(seed) {
  const open = ed25519.getPublicKey(seed);
  const blob = joined([wire(SSH), wire(open)]);
  return {
    recipient: `ssh-ed25519 ${base64(blob)}`, fingerprint: fingerprintOf(blob), blob, opens: new SshIdentity(seed, open, blob),
    sign: (bytes) => ed25519.sign(bytes, seed),
  };
}

/** Unwraps the file key of an age file from its ssh-ed25519 stanza (C2SP/age.md, "The ssh-ed25519 recipient type"). */
class SshIdentity {
  constructor(seed, open, blob) {
    this.blob = blob;
    this.scalar = ed25519.utils.toMontgomerySecret(seed);
    this.point = ed25519.utils.toMontgomery(open);
    this.tag = unpadded(sha256(blob).subarray(0, 4));
  }

  unwrapFileKey(stanzas) {
    for (const stanza of stanzas) {
      if (!(stanza instanceof Stanza) || stanza.args[0] !== "ssh-ed25519" || stanza.args[1] !== this.tag) continue;
      const share = bytesOf(stanza.args[2]);
      const tweak = hkdf(sha256, new Uint8Array(0), this.blob, text(AGE_LABEL), 32);
      const shared = x25519.scalarMult(tweak, x25519.scalarMult(this.scalar, share));
      const key = hkdf(sha256, shared, joined([share, this.point]), text(AGE_LABEL), 32);
      try {
        return chacha20poly1305(key, new Uint8Array(12)).decrypt(stanza.body);
      } catch {
        continue;
      }
    }
    return null;
  }
}

/** A new age identity: its file, as age-keygen writes it, and its public half. */
export async function newAge() {
  const secret = await generateX25519Identity();
  const recipient = await identityToRecipient(secret);
  return { recipient, file: `# created: ${new Date().toISOString().replace(/\.\d+/, "")}\n# public key: ${recipient}\n${secret}\n` };
}

/** A new SSH key: its OpenSSH private key file, without passphrase, and its public half. */
export function newSsh() {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const { blob, recipient } = sshSigner(seed);
  const open = ed25519.getPublicKey(seed);
  const check = crypto.getRandomValues(new Uint8Array(4));
  const body = joined([check, check, wire(SSH), wire(open), wire(joined([seed, open])), wire(text("passerelle"))]);
  const filled = joined([body, Uint8Array.from({ length: -body.length & 7 }, (_, at) => at + 1)]);
  const none = wire(text("none"));
  const whole = joined([text(MAGIC), none, none, wire(new Uint8Array(0)), uint32(1), wire(blob), wire(filled)]);
  return { recipient, file: `${BEGIN}\n${base64(whole).match(/.{1,70}/g).join("\n")}\n${END}\n` };
}
