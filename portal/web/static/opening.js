// The page that opens a parcel: the visitor's key is read here, the second lock's key is asked for only when that key fits,
// and the extract is offered once all of it was checked.
import { Fault, readKey } from "./identity.js";
import { ask, onSubmit, saves } from "./page.js";
import { opened } from "./parcel.js";

const LARGE = 100 * 1000 * 1000; // bytes from which the extract goes straight to a file, where the browser can write one
const form = document.querySelector("form[data-open]"), place = document.querySelector("[data-opened]");
const bar = form.querySelector("[data-progress]");

/** The visitor's keys that the parcel is sealed to. */
async function fitting(file) {
  const keys = await readKey(file), wanted = form.dataset.sealedTo.split(" ");
  const fits = keys.filter((one) => wanted.includes(one.fingerprint));
  if (!fits.length) throw new Fault("wrongKey", wanted.join(", "));
  return fits.map((one) => one.opens);
}

async function releaseKey() {
  if (!form.dataset.key) return null;
  const body = new URLSearchParams({ token: form.elements.token.value });
  return (await (await ask(form.dataset.key, { method: "POST", body })).text()).trim();
}

/** Where the extract goes: a file that the visitor chooses when it is large, memory otherwise. */
async function target(name) {
  if (Number(form.dataset.bytes) < LARGE || !window.showSaveFilePicker) {
    const parts = [];
    return { write: (piece) => { parts.push(piece); }, keep: () => parts, drop: () => {} };
  }
  const chosen = await window.showSaveFilePicker({ suggestedName: name }).catch(() => { throw new Fault("cancelled"); });
  const writing = await chosen.createWritable();
  return { write: (piece) => writing.write(piece), keep: async () => { await writing.close(); return null; }, drop: () => writing.abort() };
}

function show({ manifest, signed }, parts) {
  const [resource] = manifest.resources, link = place.querySelector("[data-extract]");
  const figures = (number) => number.toLocaleString(document.documentElement.lang);
  place.querySelector("[data-facts]").textContent = `${resource.path}, ${figures(resource.rows)} × ${figures(resource.schema.fields.length)}, sha256 ${resource.hash.slice(7)}`;
  place.querySelector("[data-signer]").textContent = signed;
  if (parts) saves(link, parts, form.dataset.name, resource.mediatype);
  link.hidden = !parts;
  Object.assign(place.dataset, { manifest: form.dataset.manifest, cipher: manifest.passerelle.cipher_sha256 });
  place.hidden = false;
}

onSubmit(form, async (speak) => {
  speak.status("reading");
  const opens = await fitting(form.querySelector("input[type=file]").files[0]);
  const file = await target(form.dataset.name);
  try {
    speak.status("asking");
    const release = await releaseKey();
    speak.status("opening");
    bar.hidden = false;
    const { body } = await ask(form.dataset.file);
    const progress = (taken) => { bar.value = (100 * taken) / Number(form.dataset.bytes); };
    const signers = form.dataset.signers.split(" ");
    const found = await opened(body, { release, opens, expected: form.dataset.manifest, signers, sink: file.write, progress });
    const parts = await file.keep();
    speak.status(parts ? "done" : "written");
    show(found, parts);
  } catch (fault) {
    await file.drop();
    throw fault;
  } finally {
    bar.hidden = true;
  }
});
