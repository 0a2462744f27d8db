"""A partner keeps its own keys: enrols the public half, lets one end, revokes one; another's key does not exist for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from passerelle.keys import Identity
from passerelle.store import partners
from passerelle.store.partners import PartnerKey
from tests.gateway import Gateway
from tests.receipt.conftest import ssh_key
from tests.web.visitors import Portal, Visitor, words

NOW = "2025-05-12T10:00:00+02:00"
OWN, OTHER = "mtfp", "mtss"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with two partners, each with one approved key."""
    made = Gateway.create(tmp_path, NOW).partner(OWN).partner(OTHER)
    yield made
    made.workspace.close()


@pytest.fixture
def partner(gateway: Gateway) -> Visitor:
    return Portal(gateway).visitor("partner", OWN, name="paul")


def keys(gateway: Gateway) -> list[PartnerKey]:
    with gateway.workspace.database.read() as connection:
        return partners.keys(connection, OWN)


def test_ones_own_keys_are_shown_with_what_to_tell_on_the_telephone(gateway: Gateway, partner: Visitor) -> None:
    """Each key has state, approvals by name and its fingerprint in groups of four; another party's is not there."""
    mine, other = (gateway.identities[party].recipient.fingerprint for party in (OWN, OTHER))
    page = words(partner.get("/keys"))
    groups = mine.removeprefix("SHA256:")
    assert f"{groups[:4]} {groups[4:8]}" in page
    assert "2 / 2 approvals: first, second" in page
    assert "None of your present keys signs" in page
    assert other[7:11] not in page


def test_a_key_that_is_enrolled_waits_for_two_people_of_ours(
    gateway: Gateway, partner: Visitor, tmp_path: Path
) -> None:
    """A public key enrolled here is told in the trail under the partner's account, waits, and is approved by two others."""
    public = ssh_key(tmp_path).with_suffix(".pub").read_text()
    answer = partner.post("/keys/new", {"recipient": public, "not_before": "2025-05-13"})
    new, old = sorted(keys(gateway), key=lambda one: one.kind)
    assert new.fingerprint in words(partner.get(answer.headers["location"]))
    assert (old.state, new.state, new.kind, new.enrolled_by) == ("approved", "pending", "ssh-ed25519", "paul")
    assert new.not_before == "2025-05-12T22:00:00Z"
    assert gateway.entries("partner_key_enrolled")[-1]["fingerprint"] == new.fingerprint
    form = {"fingerprint": new.fingerprint, "channel": "phone"}
    assert partner.post("/partner-keys", form).status_code == 404
    for name in ("anne", "bruno"):
        assert Portal(gateway).visitor("dpo", name=name).post("/partner-keys", form).status_code == 303
    assert {one.state for one in keys(gateway)} == {"approved"}


def test_what_is_no_public_key_of_ones_own_is_refused(gateway: Gateway, partner: Visitor) -> None:
    """A private key is named as such and not repeated; nonsense and another party's key are refused; nothing is enrolled."""
    secret = Identity.generate().secret
    answer = partner.post("/keys/new", {"recipient": secret})
    assert answer.status_code == 400
    assert "this is a private key: it must never be sent to anyone" in words(answer)
    assert "make a new key pair, destroy this one" in words(answer)
    assert secret not in answer.text
    for recipient, said in (
        ("age1nonsense", "not a whole X25519 recipient"),
        ("", "another kind came"),
        (gateway.identities[OTHER].recipient.text, "enrolled for another partner"),
    ):
        answer = partner.post("/keys/new", {"recipient": recipient})
        assert (answer.status_code, said in words(answer)) == (400, True), said
    assert len(keys(gateway)) == 1


def test_a_key_ends_on_a_day_so_that_its_successor_overlaps(gateway: Gateway, partner: Visitor) -> None:
    """An end to come is set and told in the trail; a day that is past, or none, changes nothing."""
    mine = gateway.identities[OWN].recipient.fingerprint
    assert mine in words(partner.get("/keys/end", params={"key": mine}))
    for day in ("2025-05-01", "", "tomorrow"):
        assert partner.post("/keys/end", {"key": mine, "act": "end", "not_after": day}).status_code == 400
    assert partner.post("/keys/end", {"key": mine, "act": "end", "not_after": "2025-06-01"}).status_code == 303
    assert keys(gateway)[0].not_after == "2025-05-31T22:00:00Z"
    assert "End of validity on 1 June 2025" in words(partner.get("/keys"))
    assert len(gateway.entries("partner_key_ended")) == 1


def test_a_key_is_revoked_at_once_when_it_is_confirmed(gateway: Gateway, partner: Visitor) -> None:
    """Without the tick, or without a fresh second factor, nothing happens; with both the key is revoked, and the trail tells."""
    mine = gateway.identities[OWN].recipient.fingerprint
    assert partner.post("/keys/end", {"key": mine, "act": "revoke"}).status_code == 400
    shown = gateway.workspace.now()
    gateway.move_to((shown + timedelta(minutes=6)).isoformat())
    stale = partner.post("/keys/end", {"key": mine, "act": "revoke", "sure": "yes"})
    assert stale.headers["location"].startswith("/sign-in/again")
    for path in ("/keys/new", f"/keys/end?key={mine}"):
        assert partner.get(path).status_code == 303
    gateway.move_to(shown.isoformat())
    assert keys(gateway)[0].state == "approved"
    assert partner.post("/keys/end", {"key": mine, "act": "revoke", "sure": "yes"}).status_code == 303
    assert keys(gateway)[0].state == "revoked"
    assert [one["fingerprint"] for one in gateway.entries("partner_key_revoked")] == [mine]
    assert "revoked" in words(partner.get("/keys"))


def test_another_partys_key_is_not_there(gateway: Gateway, partner: Visitor) -> None:
    """Ending or revoking another party's key answers as for one that does not exist, and changes nothing."""
    other = gateway.identities[OTHER].recipient.fingerprint
    for key in (other, other[:20], "SHA256:none"):
        assert partner.get("/keys/end", params={"key": key}).status_code == 404
        for act in ({"act": "revoke", "sure": "yes"}, {"act": "end", "not_after": "2025-06-01"}):
            assert partner.post("/keys/end", {"key": key, **act}).status_code == 404
    assert gateway.entries("partner_key_revoked") == []


def test_a_partner_without_a_key_is_told_how_to_make_one(gateway: Gateway) -> None:
    """The empty page says what to do, and the page that enrols has the two commands."""
    with gateway.workspace.database.begin() as connection:
        partners.add(connection, "dares", "Dares", None, at=gateway.workspace.now())
    one = Portal(gateway).visitor("partner", "dares")
    assert "You have no key yet" in words(one.get("/keys"))
    page = words(one.get("/keys/new"))
    assert "age-keygen -o my-key.txt" in page
    assert "ssh-keygen -t ed25519" in page
