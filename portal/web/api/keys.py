"""A party's own public keys: which there are, enrolling one, revoking one."""

from __future__ import annotations

from passerelle.handover.own import own_key
from passerelle.store import partners
from passerelle.store.partners import PartnerKey
from passerelle.workspace import partner_keys as acts
from portal.render import Text
from portal.web.api.calls import ROOT, Asked, Call
from portal.web.api.models import Key, KeyGiven, KeyNamed, Keys
from portal.web.visit import AbsentError

TRIES_A_MINUTE = 20


def every(asked: Asked) -> Keys:
    """The party's keys, the latest first."""
    with asked.workspace.database.read() as connection:
        found = partners.keys(connection, asked.party)
    return Keys(items=[_key(asked, one) for one in reversed(found)])


def enrol(asked: Asked) -> Key:
    """Enrol a public key; two people of the gateway approve it before anything is sealed to it."""
    given = asked.gave(KeyGiven)
    return _key(asked, acts.enrol(asked.workspace, asked.party, given.recipient, by=asked.account.name))


def revoke(asked: Asked) -> Key:
    """Revoke a key at once.

    Raises:
        AbsentError: the party has no such key.
    """
    which = asked.gave(KeyNamed).fingerprint
    with asked.workspace.database.read() as connection:
        if own_key(connection, asked.party, which) is None:
            raise AbsentError
    return _key(asked, acts.revoke(asked.workspace, which))


def _key(asked: Asked, one: PartnerKey) -> Key:
    return Key(
        fingerprint=one.fingerprint, kind=one.kind, state=one.state_at(asked.now), approvals=len(one.approvals),
        enrolled_at=one.enrolled_at, not_before=one.not_before, not_after=one.not_after, revoked_at=one.revoked_at,
    )  # fmt: skip


CALLS = (
    Call("keys", f"{ROOT}/keys", every, "read", Keys, Text("Vos clés publiques", "Your public keys")),
    Call("enrol_key", f"{ROOT}/keys", enrol, "send", Key, Text("Inscrire une clé publique", "Enrol a public key"), "POST", takes=KeyGiven, status=201, per_minute=TRIES_A_MINUTE, refuses=(408, 409, 413, 422)),
    Call("revoke_key", f"{ROOT}/keys/revoke", revoke, "send", Key, Text("Révoquer une clé aussitôt", "Revoke a key at once"), "POST", takes=KeyNamed, per_minute=TRIES_A_MINUTE, refuses=(408, 409, 413, 422)),
)  # fmt: skip
