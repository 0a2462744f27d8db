// Makes a key pair in the browser: the private half is saved by the visitor, and only then is the public half filled in.
import { newAge, newSsh } from "./identity.js";
import { saves } from "./page.js";

const place = document.querySelector("[data-make]");
place.hidden = false;
for (const button of place.querySelectorAll("button[data-kind]")) {
  button.addEventListener("click", async () => {
    const ssh = button.dataset.kind === "ssh";
    const made = await (ssh ? newSsh() : newAge());
    const link = place.querySelector("[data-save]");
    saves(link, [made.file], `${place.dataset.party}-passerelle${ssh ? "" : ".txt"}`, "application/octet-stream");
    link.onclick = () => { document.querySelector("#f-recipient").value = made.recipient; };
    const told = place.querySelector("[data-made]");
    told.hidden = false;
    link.focus();
  });
}
