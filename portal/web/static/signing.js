// Signs a line of the gateway with the visitor's SSH key and hands the signed file in by the page's own form. The key stays in this page.
import { Fault, readKey } from "./identity.js";
import { ask, onSubmit } from "./page.js";
import { signature } from "./sshsig.js";

async function signingKey(input) {
  const [key] = await readKey(input.files[0]).catch((fault) => {
    throw new Fault({ noIdentity: "notSsh", rsa: "notSsh", damagedKey: "damaged" }[fault.word] ?? fault.word);
  });
  if (!key.sign) throw new Fault("notSsh");
  return key;
}

/** The address of the line, with what the visitor chose of it. */
function lineOf(form) {
  const chosen = document.querySelector("form[data-line]");
  return chosen ? `${form.dataset.sign}?${new URLSearchParams(new FormData(chosen))}` : form.dataset.sign;
}

/** What was opened on this page, where something was, has to be what is signed. */
function insistSame(line) {
  const opened = document.querySelector("[data-opened]")?.dataset;
  if (!opened?.manifest) return;
  const said = JSON.parse(new TextDecoder().decode(line));
  if (said.manifest_sha256 !== opened.manifest || said.cipher_sha256 !== opened.cipher) throw new Fault("other");
}

for (const form of document.querySelectorAll("form[data-sign]")) {
  onSubmit(form, async (speak) => {
    speak.status("reading");
    const key = await signingKey(form.querySelector("input[type=file]"));
    speak.status("fetching");
    const line = new Uint8Array(await (await ask(lineOf(form))).arrayBuffer());
    insistSame(line);
    const file = new File([line, signature(line, key, form.dataset.namespace)], form.dataset.name);
    speak.status("sending");
    const handing = document.querySelector("form[data-signed]"), carried = new DataTransfer();
    carried.items.add(file);
    handing.elements.signed.files = carried.files;
    handing.submit();
  });
}
