// Detached SSH signatures by Ed25519 keys, as `ssh-keygen -Y sign` writes them, byte for byte (OpenSSH, PROTOCOL.sshsig).
import { ed25519, sha512 } from "./vendor/age.js";
import { base64, bytesOf, fingerprintOf, joined, reader, text, wire } from "./identity.js";

const MAGIC = text("SSHSIG"), VERSION = new Uint8Array([0, 0, 0, 1]), KIND = text("ssh-ed25519"), HASH = wire(text("sha512"));
const NOTHING = wire(new Uint8Array(0));
const BEGIN = "-----BEGIN SSH SIGNATURE-----", END = "-----END SSH SIGNATURE-----";

const said = (data, name) => joined([MAGIC, name, NOTHING, HASH, wire(sha512(data))]);

function armored(blob, name, raw) {
  const signature = wire(joined([wire(KIND), wire(raw)]));
  const lines = base64(joined([MAGIC, VERSION, wire(blob), name, NOTHING, HASH, signature])).match(/.{1,70}/g);
  return [BEGIN, ...lines, END, ""].join("\n");
}

/** The signature of `data` by an SSH key of identity.js. */
export function signature(data, key, namespace) {
  const name = wire(text(namespace));
  return text(armored(key.blob, name, key.sign(said(data, name))));
}

/** The fingerprint of the key that signed `data` in `namespace`; null when nobody did, or in another form than ours. */
export function signer(data, signed, namespace) {
  const written = new TextDecoder().decode(signed), name = wire(text(namespace));
  try {
    const whole = bytesOf(written.split(BEGIN)[1].split(END)[0]);
    const parts = reader(whole.subarray(MAGIC.length + VERSION.length));
    const blob = parts.string(), key = reader(blob), raw = whole.subarray(-64);
    key.string();
    const holds = written === armored(blob, name, raw) && ed25519.verify(raw, said(data, name), key.string());
    return holds ? fingerprintOf(blob) : null;
  } catch {
    return null;
  }
}
