"""From one receipt in a partner's hand, everything that could be done to trail and parcels since is found and named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import ColumnElement, Connection, delete, select, update

from passerelle.clock import iso
from passerelle.errors import ParcelError, TrailError
from passerelle.parcel import Verified, verify
from passerelle.receipt import Receipt, check_continues, check_matches
from passerelle.trail import Entry, Ledger
from passerelle.trail.fsck import TrailFaultsError, check
from passerelle.trail.tables import metadata, trail_checkpoint, trail_entry, trail_head
from tests.parcel.conftest import Maker
from tests.parcel.conftest import make as make  # noqa: PLC0414 -- the fixture
from tests.receipt.conftest import Partner
from tests.receipt.conftest import make as gateway_with_partner
from tests.receipt.make_vectors import RECEIPT

EDITED = 3  # an entry that the receipt's head covers


class World:
    """A gateway with its partner, the receipt that the partner kept, and the trail's entries since."""

    def __init__(self, folder: Path) -> None:
        self.partner = gateway_with_partner(folder)
        self.receipt = self.partner.receipt(self.partner.deliver("2025-05"))
        self.workspace = self.partner.gateway.workspace
        self.ledger = self.workspace.ledger
        with self.workspace.database.read() as connection:
            self.entries = [found.entry for found in self.ledger.entries(connection)]

    def rebuild(self, connection: Connection, entries: list[Entry], ledger: Ledger | None = None) -> None:
        """Write the whole trail anew, every hash right, and sign its head."""
        writer = ledger or self.ledger
        metadata.drop_all(connection)
        metadata.create_all(connection)
        writer.append_many(connection, entries)
        writer.checkpoint(connection, self.workspace.now())

    def said(self, connection: Connection, key: str | None = None) -> str:
        """Everything that the checker says of the trail, with the receipt in hand."""
        try:
            check(connection, key or self.ledger.verifier_key, [self.receipt])
        except TrailFaultsError as fault:
            return "\n".join(fault.faults)
        except TrailError as fault:
            return str(fault)
        return "holds"

    def named(self, connection: Connection) -> str:
        """What the checker says was done."""
        with pytest.raises(TrailFaultsError) as caught:
            check(connection, self.ledger.verifier_key, [self.receipt])
        assert caught.value.named in (caught.value.hint or "")
        assert "le registre a été altéré" in (caught.value.fr or "")
        return caught.value.named


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One world for all: each test takes back what it did."""
    return World(tmp_path_factory.mktemp("world"))


def row(index: int) -> ColumnElement[bool]:
    return trail_entry.c.index == index


def edit(connection: Connection, world: World) -> None:
    leaf = world.entries[EDITED].leaf()
    connection.execute(update(trail_entry).where(row(EDITED)).values(body=leaf.replace(b'":"', b'":"x', 2)))


def remove(connection: Connection, _world: World) -> None:
    connection.execute(delete(trail_entry).where(row(EDITED)))


def truncate(connection: Connection, world: World) -> None:
    world.rebuild(connection, world.entries[:-2])


def reorder(connection: Connection, world: World) -> None:
    last = len(world.entries) - 1
    for index, other in ((EDITED, last), (last, EDITED)):
        entry = world.entries[other]
        connection.execute(update(trail_entry).where(row(index)).values(body=entry.leaf(), kind=entry.kind))


def insert(connection: Connection, world: World) -> None:
    """Slip an entry in, numbered after the last, and shift nothing: the head says otherwise."""
    new = Entry("keys_destroyed", world.entries[-1].at, {"convention": "csp-ft-2024"})
    hash_ = connection.scalar(select(trail_entry.c.leaf_hash).where(row(0)))
    values = {"index": len(world.entries), "kind": new.kind, "leaf_hash": hash_, "body": new.leaf()}
    connection.execute(trail_entry.insert().values(values))


def fork(connection: Connection, world: World) -> None:
    new = Entry("keys_destroyed", world.entries[EDITED].at, {"convention": "csp-ft-2024"})
    world.rebuild(connection, [*world.entries[:EDITED], new, *world.entries[EDITED + 1 :]])


def rechain(connection: Connection, world: World) -> None:
    heads = connection.execute(select(trail_checkpoint)).all()
    world.rebuild(connection, [*world.entries[:EDITED], *world.entries[EDITED + 1 :], world.entries[-1]])
    connection.execute(delete(trail_checkpoint))
    for head in heads:
        connection.execute(trail_checkpoint.insert().values(dict(head._mapping)))


def swap_key(connection: Connection, world: World) -> None:
    world.rebuild(connection, world.entries, Ledger(world.ledger.origin, Ed25519PrivateKey.generate()))


def back_date(connection: Connection, world: World) -> None:
    connection.execute(update(trail_head).values(at=""))
    at = iso(world.workspace.now() - timedelta(days=1))
    world.ledger.append(connection, Entry("keys_destroyed", at, {"convention": "csp-ft-2024"}))
    world.ledger.checkpoint(connection, world.workspace.now())


Acts = dict[str, tuple[Callable[[Connection, World], None], str]]
TRAIL: Acts = {
    "edit": (edit, f"edited: entry {EDITED}"),
    "delete": (remove, f"deleted: entry {EDITED}"),
    "truncate": (truncate, "truncated"),
    "reorder": (reorder, f"reordered: entries {EDITED}, "),
    "insert": (insert, "inserted: entry "),
    "fork": (fork, "forked"),
    "re-chain everything": (rechain, "re-chained"),
    "key swap": (swap_key, "key swapped"),
    "back-dated entry": (back_date, "back-dated"),
}
PARCEL = {
    "replayed parcel": "replayed: number 4 came after number 4",
    "swapped extract": "swapped extract",
    "downgraded lock": "downgraded lock: the parcel that was receipted had 2 locks, this one has 1",
}
TWELVE = (
    "edit", "delete", "truncate", "reorder", "insert", "fork", "re-chain everything", "key swap", "back-dated entry",
    "replayed parcel", "swapped extract", "downgraded lock",
)  # fmt: skip


@pytest.mark.parametrize("name", TWELVE)
def test_what_was_done_is_named_from_one_receipt(world: World, make: Maker, name: str) -> None:
    """Each of twelve acts on trail or parcel is found from the one receipt in hand, by a message of its own."""
    if name in PARCEL:
        assert PARCEL[name] in said_of_a_parcel(make, name)
        return
    act, expected = TRAIL[name]
    with world.workspace.database.begin() as connection:
        assert world.said(connection) == "holds"
        with connection.begin_nested() as savepoint:
            act(connection, world)
            assert world.named(connection).startswith(expected)
            savepoint.rollback()
        assert world.said(connection) == "holds"


def test_the_twelve_messages_are_distinct() -> None:
    """No two of the twelve acts are told by the same words."""
    assert {*TRAIL, *PARCEL} == set(TWELVE)
    words = [expected.partition(":")[0] for expected in (*(told for _, told in TRAIL.values()), *PARCEL.values())]
    assert len(set(words)) == len(TWELVE)


def said_of_a_parcel(make: Maker, name: str) -> str:
    """What is said of a parcel that is not the one of the receipt in hand."""

    def made(**changes: object) -> Verified:
        parcel = make(**{"locks": 2, "sequence": 4, **changes})
        return verify(parcel.path, parcel.trust)

    receipt = received(made())
    others: dict[str, dict[str, object]] = {
        "swapped extract": {"plain": b"code,count\nX,1\nY,2\nZ,3\n"},
        "downgraded lock": {"locks": 1},
    }
    other = others.get(name, {})
    with pytest.raises(ParcelError) as caught:
        (check_matches if other else check_continues)(receipt, made(**other))
    assert caught.value.fr
    return caught.value.message


def test_a_new_key_does_not_own_the_old_receipt(world: World) -> None:
    """A trail under another key cannot claim the receipt in hand."""
    key = Ed25519PrivateKey.generate()
    with world.workspace.database.read() as connection:
        said = world.said(connection, Ledger(world.ledger.origin, key).verifier_key)
    assert said.startswith("checkpoint in hand 1: ")


def received(verified: Verified) -> Receipt:
    """The receipt for a parcel of the format's own tests."""
    terms = verified.parcel.manifest.passerelle
    return RECEIPT.model_copy(
        update={
            "parcel": verified.parcel.manifest.name,
            "party": terms.recipient,
            "convention": terms.convention,
            "exchange": terms.exchange,
            "sequence": terms.sequence,
            "locks": len(terms.locks),
            "manifest_sha256": verified.manifest_sha256,
            "cipher_sha256": terms.cipher_sha256,
        }
    )


def test_what_was_done_to_a_parcel_is_named(make: Maker) -> None:
    """A parcel made anew under the same id is told from the one that was receipted: lock, extract, manifest."""

    def made(**changes: object) -> Verified:
        parcel = make(**changes)
        return verify(parcel.path, parcel.trust)

    first = made(locks=2)
    receipt = received(first)
    check_matches(receipt, first)
    faults = {
        "downgraded lock: the parcel that was receipted had 2 locks, this one has 1": made(locks=1),
        "swapped extract": made(plain=b"code,count\nX,1\nY,2\nZ,3\n", locks=2),
        "another parcel": made(locks=2, parcel="face-pe-2014.shared-studies.2024.face.2"),
    }
    for message, verified in faults.items():
        with pytest.raises(ParcelError, match=message):
            check_matches(receipt, verified)
    edited = receipt.model_copy(update={"manifest_sha256": "ab" * 32})
    with pytest.raises(ParcelError, match="edited: the manifest"):
        check_matches(edited, first)


def test_a_replay_and_a_gap_are_named(make: Maker) -> None:
    """After one receipt the next number comes; the same or an earlier one is a replay, a later one a gap."""

    def numbered(number: int, **changes: object) -> Verified:
        parcel = make(sequence=number, **changes)
        return verify(parcel.path, parcel.trust)

    receipt = received(numbered(4))
    check_continues(receipt, numbered(5))
    for number in (3, 4):
        with pytest.raises(ParcelError, match=f"replayed: number {number} came after number 4"):
            check_continues(receipt, numbered(number))
    with pytest.raises(ParcelError, match="gap: number 7 came after number 4; 5 to 6 were not receipted"):
        check_continues(receipt, numbered(7))
    with pytest.raises(ParcelError, match="earlier parcel of the same exchange"):
        check_continues(receipt, numbered(5, exchange="other-exchange"))


def test_a_parcel_signed_with_another_key_is_named(partner: Partner) -> None:
    """A gateway that swapped its signing key without its partners knowing is refused under what they hold."""
    trust = (partner.gateway.home / "trust" / "allowed_signers").read_bytes()
    partner.gateway.workspace.keys.rotate_signing(partner.gateway.workspace.now())
    parcel = partner.deliver("2025-06")
    with pytest.raises(ParcelError, match="expected a trusted key"):
        partner.verified(parcel)
    partner.gateway.workspace.publish_trust()
    assert (partner.gateway.home / "trust" / "allowed_signers").read_bytes() != trust
    assert partner.verified(parcel).signer
