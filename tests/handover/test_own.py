"""A recipient reaches what was delivered to it, and is told what became of it; another's does not exist for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from flows import assembly
from passerelle.errors import RefusedError
from passerelle.handover import own
from passerelle.handover.evidence import hand_release_key
from passerelle.handover.resend import resend
from passerelle.store import access
from passerelle.store.runs import Delivery
from passerelle.workspace import partner_keys
from tests.gateway import CSP_FILED, Gateway, at, two_recipients

OWN, OTHER = "mtfp", "mtss"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that delivered one pool to two parties."""
    made = Gateway.create(tmp_path_factory.mktemp("own"), "2025-05-12T10:00:00+02:00").record(*CSP_FILED).partner(OWN)
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, 10))
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def sent(gateway: Gateway) -> dict[str, Delivery]:
    return {one.recipient: one for one in gateway.deliveries(state="delivered")}


def lines(gateway: Gateway) -> list[dict[str, str]]:
    with gateway.workspace.database.read() as connection:
        return access.lines(connection)


def test_another_partys_parcel_and_key_do_not_exist(gateway: Gateway, sent: dict[str, Delivery]) -> None:
    """One's own parcel and key are found by their whole ids; another's are not, nor is the beginning of one's own."""
    mine = gateway.identities[OWN].recipient.fingerprint
    with gateway.workspace.database.read() as connection:
        assert own.own_parcel(connection, OWN, sent[OWN].id) == sent[OWN]
        assert own.own_parcel(connection, OWN, sent[OTHER].id) is None
        assert own.own_parcel(connection, OWN, sent[OWN].id[:20]) is None
        found = own.own_key(connection, OWN, mine)
        assert found
        assert found.partner == OWN
        assert own.own_key(connection, OWN, mine[:20]) is None
        assert own.own_key(connection, OTHER, mine) is None


def test_a_file_is_taken_with_a_line_in_the_log(gateway: Gateway, sent: dict[str, Delivery]) -> None:
    """Taking a parcel gives the file that was delivered and is written down first; what was moved away is refused, and written."""
    parcel = sent[OWN]
    file = own.take(gateway.workspace, parcel, actor="Paul")
    assert file.path in gateway.parcels(OWN)
    assert file.name == f"{parcel.id}.tar"
    assert (file.size, file.tag) == (file.path.stat().st_size, f'"{parcel.manifest_sha256}"')
    assert lines(gateway)[-1]["action"] == "parcel_read"
    aside = file.path.rename(file.path.with_suffix(".aside"))
    before = len(lines(gateway))
    with pytest.raises(RefusedError, match="no longer where it was put") as caught:
        own.take(gateway.workspace, parcel, actor="Paul")
    assert "resend" in (caught.value.hint or "")
    assert len(lines(gateway)) == before + 1
    aside.rename(file.path)


def test_the_deadline_follows_what_has_happened_since(gateway: Gateway, sent: dict[str, Delivery]) -> None:
    """The day by which a parcel must be gone is that of today's text and events, not that of the day it was made."""
    parcel = replace(sent[OWN], convention="csp-ft-2024")
    with gateway.workspace.database.read() as connection:
        before = own.deadlines(gateway.workspace, connection, [parcel])[parcel.id]
    gateway.record(("csp-ft-2024", "declared_unnecessary", {"on": "2025-05-12"}))
    with gateway.workspace.database.read() as connection:
        after = own.deadlines(gateway.workspace, connection, [parcel])[parcel.id]
    assert before.value is None
    assert after.value == at("2025-05-12").date()


def test_the_second_lock_stays_shut_once_every_key_is_revoked(gateway: Gateway, sent: dict[str, Delivery]) -> None:
    """The release key is handed over, and no more once each key the parcel is sealed to was revoked; both are written down."""
    parcel = sent[OTHER]
    assert hand_release_key(gateway.workspace, parcel.id, OTHER, actor="Marie").secret
    partner_keys.revoke(gateway.workspace, gateway.identities[OTHER].recipient.fingerprint)
    with pytest.raises(RefusedError, match="every key that this parcel is sealed to is revoked") as caught:
        hand_release_key(gateway.workspace, parcel.id, OTHER, actor="Marie")
    assert "key-replaced" in (caught.value.hint_fr or "")
    assert [line["action"] for line in lines(gateway)[-2:]] == ["release_key"] * 2
    assert len([one for one in gateway.entries("release_key_handed") if one["parcel"] == parcel.id]) == 1


def test_what_became_of_each_parcel(gateway: Gateway, sent: dict[str, Delivery]) -> None:
    """A parcel that was sent again says by which, and says when its second lock's key was first handed over."""
    parcel = sent[OWN]
    hand_release_key(gateway.workspace, parcel.id, OWN, actor="Paul")
    again = resend(gateway.workspace, parcel.id, "lost", assembly.tools_for, actor="Anne").deliveries[0].parcel
    with gateway.workspace.database.read() as connection:
        fate = own.fates(connection, [parcel])[parcel.id]
    assert (fate.resent_as, fate.superseded_by, fate.receipted_at, fate.purged) == (again, None, None, False)
    assert fate.opened_at is not None
