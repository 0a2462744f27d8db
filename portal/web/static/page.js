// What the pages' scripts share: the sentences of a form, what it says, and what the gateway answers.
import { Fault } from "./identity.js";

/** The sentences and places of a form: `status` and `fault` say one of its words, with a detail. */
export function speaking(form) {
  const words = form.querySelector("[data-words]").dataset;
  const [fault, status] = [form.querySelector("[data-fault]"), form.querySelector("[data-status]")];
  const said = (word, detail) => [words[word] ?? word, detail].filter(Boolean).join(" ");
  return {
    status: (word, detail) => { fault.hidden = true; status.textContent = word ? said(word, detail) : ""; },
    fault: (word, detail) => { status.textContent = ""; fault.textContent = said(word, detail); fault.hidden = false; fault.scrollIntoView({ block: "nearest" }); },
  };
}

/** Ask the gateway; a page that refuses says why, a page to sign in on says that the session has ended. */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Fault("failed");
  }
  if (answer.redirected) throw new Fault("session");
  if (!answer.ok) throw new Fault("refused", await refusal(answer));
  return answer;
}

async function refusal(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const said = ["main .lead", "main .hint"].map((place) => page.querySelector(place)?.textContent.trim());
  return said.filter(Boolean).join(" ") || String(answer.status);
}

/** Run what a form asks for, once at a time; what goes wrong is said on the page. */
export function onSubmit(form, act) {
  const speak = speaking(form);
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await act(speak);
    } catch (fault) {
      if (fault instanceof Fault) speak.fault(fault.word, fault.detail);
      else { speak.fault("unforeseen"); throw fault; }
    } finally {
      button.disabled = false;
    }
  });
}

/** Make a link save these bytes under that name. */
export function saves(link, parts, name, kind) {
  link.href = URL.createObjectURL(new Blob(parts, { type: kind }));
  link.download = name;
}
