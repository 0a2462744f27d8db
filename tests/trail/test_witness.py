"""Witnesses cosign heads; their word is kept, and a policy says how many a purge needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from passerelle.clock import iso
from passerelle.errors import PasserelleError, RefusedError, TrailError
from passerelle.trail import Entry, Ledger, fsck, open_checkpoint, verify_entry, witness
from passerelle.trail.fsck import TrailFaultsError
from passerelle.trail.note import TIMED, VerifierKey, encode64
from passerelle.trail.witness import Cosignature, require
from tests.trail.conftest import NOW

Make = Callable[..., Entry]
KEYS = {f"witness.example/{name}": Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in "abc"}


def vkey(name: str) -> VerifierKey:
    return replace(VerifierKey.of(name, KEYS[name]), kind=TIMED)


def cosigned(note: str, name: str, at: datetime, key: Ed25519PrivateKey | None = None) -> str:
    """The note with one more line, as a witness adds it (c2sp.org/tlog-cosignature, Ed25519)."""
    body, seconds = note[: note.index("\n\n") + 1], int(at.timestamp())
    signature = (key or KEYS[name]).sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
    return f"{note}— {name} {encode64(vkey(name).id + seconds.to_bytes(8, 'big') + signature)}\n"


def head(connection: Connection, ledger: Ledger, make: Make, now: datetime, size: int = 5) -> str:
    """A head over ``size`` entries, two witnesses enrolled."""
    for name in list(KEYS)[:2]:
        witness.enrol(connection, ledger, vkey(name), name[-1], now)
        told = {"witness": name, "fingerprint": witness.key_fingerprint(vkey(name)), "party": name[-1]}
        ledger.append(connection, Entry("witness_enrolled", iso(now), told))
    ledger.append_many(connection, [make(n, iso(now)) for n in range(ledger.size(connection), size)])
    return ledger.checkpoint(connection, now)


def test_cosignatures_are_kept_once(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A head that comes back cosigned is kept for each enrolled witness, once; strangers' lines are passed over."""
    a, b, c = KEYS
    with engine.begin() as connection:
        note = head(connection, ledger, make, now)
        with pytest.raises(TrailError, match="none came"):
            witness.record(connection, ledger, cosigned(note, c, now), now)
        both = cosigned(cosigned(cosigned(note, c, now), a, now), b, now)
        for _ in range(2):
            assert [one.witness for one in witness.record(connection, ledger, both, now)] == [a, b]
        assert witness.cosignatures(connection) == [Cosignature(name, 5, now) for name in (a, b)]
        assert not witness.enrol(connection, ledger, vkey(a), "a", now)
        fsck.check(connection, ledger.verifier_key, [both])


def test_what_is_no_cosignature_of_ours_is_refused(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """Another log's head, a fork, another key under the name, an altered line and a future instant are refused."""
    a = next(iter(KEYS))
    other = Ledger(ledger.origin, Ed25519PrivateKey.generate())
    from passerelle.trail.checkpoint import sign_checkpoint

    with engine.begin() as connection:
        note = head(connection, ledger, make, now)
        forged = sign_checkpoint(ledger.origin, 5, b"x" * 32, ledger._key, now)
        wrong = {
            "not signed by the trusted key": cosigned(
                sign_checkpoint(other.origin, 5, b"x" * 32, other._key, now), a, now
            ),
            "forked": cosigned(forged, a, now),
            "does not verify": cosigned(note, a, now, KEYS["witness.example/b"]),
            "later instant": cosigned(note, a, now + timedelta(seconds=1)),
        }
        for message, text in wrong.items():
            with pytest.raises(TrailError, match=message):
                witness.record(connection, ledger, text, now)
        assert witness.cosignatures(connection) == []


def test_a_witness_has_a_key_of_its_own(lite: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A key without time, one that two names share, the trail's own, and a name taken are refused."""
    a, _, c = KEYS
    with pytest.raises(TrailError, match="plain one came"):
        witness.read_witness(str(VerifierKey.of(a, KEYS[a])))
    assert witness.read_witness(f"{vkey(a)}\n") == vkey(a)
    with lite.begin() as connection:
        head(connection, ledger, make, now)
        trail = replace(VerifierKey.parse(ledger.verifier_key), name=c, kind=TIMED)
        for key in (replace(vkey(a), name="witness.example/z"), trail, replace(vkey(c), name=a)):
            with pytest.raises(RefusedError, match="another witness or to the trail"):
                witness.enrol(connection, ledger, key, "z", now)


@given(
    st.lists(st.tuples(st.sampled_from(list(KEYS)), st.integers(0, 9)), max_size=9),
    st.integers(0, 9),
    st.integers(0, 4),
)
def test_the_policy_counts_witnesses_who_saw_enough(seen: list[tuple[str, int]], size: int, required: int) -> None:
    """K of n: distinct witnesses over heads of at least the size count, and fewer than k refuse."""
    found = [Cosignature(name, count, NOW) for name, count in seen]
    enough = {name for name, count in seen if count >= size}
    try:
        assert set(require(required, size, found)) == enough
    except PasserelleError:
        assert len(enough) < required
    else:
        assert len(enough) >= required


def test_a_proof_with_cosignatures_still_verifies(lite: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """Witnesses' lines on a head change nothing for a reader who knows the trail's key only."""
    with lite.begin() as connection:
        note = head(connection, ledger, make, now)
        proof = ledger.prove(connection, 2).decode()
    for name in KEYS:
        longer = cosigned(note, name, now)
        proof, note = proof.replace(note, longer), longer
    assert proof.count("\n— ") == 5
    assert verify_entry(proof.encode(), ledger.verifier_key).entry == make(2, iso(now))
    assert open_checkpoint(note, ledger.verifier_key).size == 5


TAMPERED = {
    "of another instant": (
        "UPDATE trail_cosignature SET at = '2020-01-01T00:00:00Z'",
        "cosignature of witness.example/a over 5 entries: the columns size and at",
    ),
    "of another size": ("UPDATE trail_cosignature SET size = 4", "cosignature of witness.example/a over 4 entries: the columns"),
    "its line taken out": (
        "UPDATE trail_cosignature SET note = replace(note, '— witness', '— other')",
        "cosignature of witness.example/a over 5 entries: expected one signature line",
    ),
    "another head": (
        "UPDATE trail_cosignature SET note = replace(note, '\n5\n', '\n6\n')",
        "cosignature of witness.example/a over 5 entries: a signature does not verify",
    ),
    "no note": ("UPDATE trail_cosignature SET note = 'x'", "cosignature of witness.example/a over 5 entries: the note is not"),
    "made up": (
        "UPDATE trail_cosignature SET witness = 'Jean Dupont'",
        "cosignature of a witness that the trail does not tell over 5 entries: made up",
    ),
    "a key of the forger's": (
        "UPDATE trail_witness SET key = 'KEY' WHERE name = 'witness.example/a'",
        "witness witness.example/a: the key on record is not the one that the trail tells",
    ),
    "no key": ("UPDATE trail_witness SET key = 'x'", "witness witness.example/a: the key on record is not"),
    "of another party": ("UPDATE trail_witness SET party = 'z'", "witness witness.example/a: of another party in the trail"),
    "a witness taken out": ("DELETE FROM trail_witness", "witness witness.example/a: told in the trail, and not on record"),
    "a witness more": (
        "INSERT INTO trail_witness SELECT 'Jean', key, party, enrolled_at FROM trail_witness WHERE name = 'witness.example/b'",
        "trail_witness: 1 on record that the trail does not tell",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_the_checker_names_the_witness_and_the_size(
    engine: Engine, ledger: Ledger, make: Make, now: datetime, name: str
) -> None:
    """What is on record of witnesses and does not hold is a fault, with the witness and the size of the head."""
    statement, expected = TAMPERED[name]
    a = next(iter(KEYS))
    with engine.begin() as connection:
        witness.record(connection, ledger, cosigned(head(connection, ledger, make, now), a, now), now)
        assert fsck.check(connection, ledger.verifier_key).cosignatures == 1
        connection.execute(text(statement.replace("KEY", str(replace(vkey("witness.example/c"), name=a)))))
        with pytest.raises(TrailFaultsError) as caught:
            fsck.check(connection, ledger.verifier_key)
    assert caught.value.faults[0].startswith(expected)
    assert "Jean" not in str(caught.value.faults)
