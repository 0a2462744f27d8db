// A form with data-passkey ("create" or "get") asks the browser for a passkey: what is asked lies in data-options,
// what the browser answers goes into the field "credential". Without scripts the form stays hidden.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const create = async (asked) => {
    const made = await navigator.credentials.create({
      publicKey: { ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) }, excludeCredentials: named(asked.excludeCredentials) },
    });
    return { made, response: { attestationObject: text(made.response.attestationObject) } };
  };
  const get = async (asked) => {
    const made = await navigator.credentials.get({
      publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: named(asked.allowCredentials) },
    });
    return { made, response: { authenticatorData: text(made.response.authenticatorData), signature: text(made.response.signature) } };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const { made, response } = await { create, get }[form.dataset.passkey](JSON.parse(form.dataset.options));
        response.clientDataJSON = text(made.response.clientDataJSON);
        form.elements.credential.value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} });
        form.submit();
      } catch {
        form.querySelector("[data-fault]").hidden = false;
      }
    });
  }
})();
