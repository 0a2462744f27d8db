"""A partner's own keys: what is sealed to them, enrolling one, letting one end, revoking one at once."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import RefusedError, TheirDataError, UsageError
from passerelle.handover.own import own_key
from passerelle.store import partners
from passerelle.store.partners import APPROVALS_NEEDED, PartnerKey
from passerelle.workspace import partner_keys as acts
from portal.faults import told
from portal.render import Text
from portal.web.pages.asked import day_of
from portal.web.visit import AbsentError, Visit
from portal.web.ways import PARTNER, Way
from portal.words import KEY_STATES, said

TONES = {"pending": "warn", "approved": "good", "future": "warn", "revoked": "bad", "expired": "bad"}
KINDS = {
    "x25519": Text("age : ouvre les colis, ne signe pas", "age: opens parcels, does not sign"),
    "ssh-ed25519": Text("SSH Ed25519 : ouvre les colis et signe", "SSH Ed25519: opens parcels and signs"),
    "ssh-rsa": Text("SSH RSA : ouvre les colis et signe", "SSH RSA: opens parcels and signs"),
}
TRIES_A_MINUTE = 20


def every(visit: Visit) -> Response:
    """The visitor's keys, the latest first."""
    with visit.workspace.database.read() as connection:
        found = partners.keys(connection, visit.party)
    shown = [
        (one, said(KEY_STATES, state), TONES.get(state, ""), said(KINDS, one.kind), _told(one.fingerprint))
        for one in reversed(found)
        for state in (one.state_at(visit.now),)
    ]
    signs = any(one.kind != "x25519" and one.state_at(visit.now) == "approved" for one in found)
    return visit.page("partner/keys.html.jinja", shown=shown, signs=signs, needed=APPROVALS_NEEDED)


def _told(fingerprint: str) -> str:
    """A fingerprint in groups of four, to be told on the telephone."""
    digits = fingerprint.removeprefix("SHA256:")
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def ask_new(visit: Visit) -> Response:
    """The page on which a key is made or pasted."""
    return visit.page("partner/key-new.html.jinja", fault=None, hint=None)


def enrol(visit: Visit) -> Response:
    """Enrol a public key; two people of the gateway approve it before anything is sealed to it."""
    try:
        found = acts.enrol(
            visit.workspace, visit.party, visit.given("recipient"), by=visit.account.name,
            not_before=day_of(visit.given("not_before"), "not_before"),
        )  # fmt: skip
    except (TheirDataError, UsageError, RefusedError) as fault:
        hint = Text(fault.hint_fr or fault.hint or "", fault.hint or "")
        return visit.page(
            "partner/key-new.html.jinja", 400, fault=Text(told(fault, "fr"), told(fault, "en")), hint=hint
        )
    words = Text(
        f"Clé inscrite. Donnez son empreinte par téléphone à deux personnes de la passerelle : {found.fingerprint}",
        f"Key enrolled. Tell its fingerprint on the telephone to two people of the gateway: {found.fingerprint}",
    )
    return visit.go(visit.href("keys"), words)


def ask_end(visit: Visit) -> Response:
    """The page on which one key is revoked, or given an end; the list where none is named."""
    if not visit.asked("key"):
        return visit.go(visit.href("keys"))
    return _ask_end(visit, _key(visit, visit.asked("key")))


def end(visit: Visit) -> Response:
    """Revoke a key at once, or let it run out on the day that is given, so that its successor overlaps with it."""
    found = _key(visit, visit.given("key"))
    if visit.given("act") == "revoke" and not visit.given("sure"):
        return _ask_end(visit, found, Text("Cochez la case pour confirmer.", "Tick the box to confirm."), 400)
    try:
        if visit.given("act") == "revoke":
            acts.revoke(visit.workspace, found.fingerprint)
            return visit.go(visit.href("keys"), Text("Clé révoquée : plus rien ne lui sera scellé.", "Key revoked: nothing will be sealed to it any more."))  # fmt: skip
        day = day_of(visit.given("not_after"), "not_after")
        if day is None:
            return _ask_end(visit, found, Text("Il faut un jour.", "A day is needed."), 400)
        acts.end(visit.workspace, found.fingerprint, not_after=day)
    except (UsageError, RefusedError) as fault:
        return _ask_end(visit, found, Text(told(fault, "fr"), told(fault, "en")), 400)
    return visit.go(visit.href("keys"), Text("La fin de validité est fixée.", "The end of validity is set."))


def _key(visit: Visit, fingerprint: str) -> PartnerKey:
    if not fingerprint:
        raise UsageError("expected a key", hint="My keys lists them", fr="il faut une clé", hint_fr="« Mes clés » en donne la liste")  # fmt: skip
    with visit.workspace.database.read() as connection:
        found = own_key(connection, visit.party, fingerprint)
    if found is None:
        raise AbsentError
    return found


def _ask_end(visit: Visit, found: PartnerKey, fault: Text | None = None, status: int = 200) -> Response:
    state = found.state_at(visit.now)
    return visit.page(
        "partner/key-end.html.jinja", status, found=found, fault=fault, state=said(KEY_STATES, state),
        tone=TONES.get(state, ""),
    )  # fmt: skip


WAYS = (
    Way("keys", "/keys", every, PARTNER, navigates=("Mes clés", "My keys")),
    Way("keys.new", "/keys/new", ask_new, PARTNER, fresh=True),
    Way("keys.enrol", "/keys/new", enrol, PARTNER, "POST", fresh=True, per_minute=TRIES_A_MINUTE),
    Way("keys.ending", "/keys/end", ask_end, PARTNER, fresh=True),
    Way("keys.end", "/keys/end", end, PARTNER, "POST", fresh=True, per_minute=TRIES_A_MINUTE),
)
