"""A parcel beside what its recipient saw before: replays, gaps, and a trail that was forked or rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors import EvidenceError, ParcelError, PasserelleError, TrailError
from passerelle.receipt import read_receipt
from passerelle.receipt.seen import (
    Consistency,
    Sighting,
    check_heads,
    check_new,
    read_consistency,
    read_seen,
    receipted,
    sighting,
    write_seen,
)
from passerelle.trail import merkle
from tests.receipt.conftest import PARTY, Partner
from tests.receipt.conftest import make as gateway_with_partner

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(40)]


def saw(number: int, size: int | None = None, **changes: Any) -> Sighting:
    """The sighting of parcel ``number``, proven in ``size`` entries of an honest trail."""
    size = 2 * number if size is None else size
    values = {
        "at": f"2026-03-01T10:00:{size:02}Z",
        "convention": "csp-ft-2024",
        "exchange": "candidate-pools",
        "manifest_sha256": f"{number:064x}",
        "origin": "passerelle.example/a",
        "parcel": f"p-{number}",
        "party": "mtfp",
        "root": merkle.root(LEAVES[:size]).hex(),
        "sequence": number,
        "size": size,
    }
    return Sighting(**{**values, **changes})


FAULTS = {
    "replayed: this parcel, number 3, was seen already": saw(3),
    "two parcels with one number: number 3 was p-3, now it is p-other": saw(
        3, parcel="p-other", manifest_sha256="a" * 64
    ),
    "older than one already seen: number 2 came after number 3": saw(2),
    "gap: 1 missing between number 3 and number 5": saw(5),
    "gap: 4 missing between number 3 and number 8": saw(8),
}


@pytest.mark.parametrize("message", FAULTS)
def test_a_number_out_of_turn_is_named(message: str) -> None:
    """With numbers 1 and 3 seen, whatever is not number 4 is refused, in French too, and says what happened."""
    with pytest.raises(ParcelError) as caught:
        check_new(FAULTS[message], [saw(1), saw(3)])
    assert message in caught.value.message
    assert caught.value.fr


def test_numbers_are_counted_in_their_own_stream() -> None:
    """The next number of the same hub, convention, exchange and recipient passes; other streams do not count."""
    seen = [saw(3)]
    check_new(saw(4), seen)
    changes: list[dict[str, Any]] = [
        {"origin": "other.example/b"},
        {"convention": "other"},
        {"exchange": "other"},
        {"party": "other"},
    ]
    for change in changes:
        check_new(saw(1, **change), seen)
        check_new(saw(9, **change), seen)


HEADS = {
    "forked: two heads of 6 entries": saw(4, 6, root="ab" * 32),
    "rolled back: number 4 is proven in 5 entries, number 3 was in 6": saw(4, 5),
    "back-dated: 8 entries were signed for an instant before that of 6": saw(4, at="2026-03-01T10:00:00Z"),
}


@pytest.mark.parametrize("message", HEADS)
def test_a_head_that_cannot_follow_is_named(message: str) -> None:
    """Two roots for one size, a later parcel in a shorter trail, and a longer trail signed earlier are each named."""
    with pytest.raises(TrailError) as caught:
        check_heads(HEADS[message], [saw(3)])
    assert message in caught.value.message
    assert caught.value.fr


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(1, 40), min_size=2, max_size=2, unique=True), honest=st.booleans())
def test_a_head_continues_one_seen_where_the_path_says_so(sizes: list[int], *, honest: bool) -> None:
    """An honest path proves one head to continue the other; a fork that hides behind the sizes is found with it."""
    less, more = sorted(sizes)
    path = Consistency(less, more, tuple(merkle.consistency_proof(LEAVES[:more], less)))
    new = saw(20, more)
    assert check_heads(new, [saw(1, less)]) == 0
    if honest:
        assert check_heads(new, [saw(1, less)], [path]) == 1
        return
    with pytest.raises(TrailError, match="does not continue"):
        check_heads(new, [saw(1, less, root="cd" * 32)], [path])


@settings(max_examples=30)
@given(numbers=st.lists(st.integers(1, 18), max_size=6))
def test_what_is_written_is_read_again(numbers: Sequence[int]) -> None:
    """The file gives back its sightings, and the same sightings the same bytes."""
    seen = tuple(saw(number) for number in numbers)
    data = write_seen(seen)
    assert read_seen(data) == seen
    assert write_seen(read_seen(data)) == data


@settings(max_examples=60)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_file_or_our_error(data: bytes) -> None:
    """Bytes from outside raise our own errors only, as a file of sightings and as a consistency proof."""
    for read in (read_seen, read_consistency):
        try:
            read(data)
        except PasserelleError:
            continue
        assert data == b""


@pytest.mark.parametrize("fault", ["version", "key", "space", "sequence"])
def test_an_altered_file_is_refused(fault: str) -> None:
    """A file of another version, with another key, another spacing or a number below one is refused with a hint."""
    good = write_seen([saw(1)])
    altered = {
        "version": good.replace(b'"version":1', b'"version":2'),
        "key": good.replace(b'"party"', b'"porty"'),
        "space": good.replace(b'":', b'": ', 1),
        "sequence": good.replace(b'"sequence":1', b'"sequence":0'),
    }[fault]
    assert altered != good
    with pytest.raises(EvidenceError, match="expected the file") as caught:
        read_seen(altered)
    assert caught.value.hint_fr


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> tuple[Partner, list[Path]]:
    """A partner with three parcels."""
    made = gateway_with_partner(tmp_path_factory.mktemp("seen"))
    return made, [made.deliver(period) for period in ("2025-05", "2025-06", "2025-07")]


@pytest.fixture
def told(
    partner: tuple[Partner, list[Path]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Runs a command without a workspace, as a partner does."""
    from portal.cli import run

    monkeypatch.setenv("PASSERELLE_HOME", "/nowhere")
    monkeypatch.setenv("PASSERELLE_LANG", "en")

    def call(*words: object) -> tuple[int, str]:
        trust = ("--trust", partner[0].gateway.home / "trust")
        status = run([str(word) for word in (*words, *trust)])
        out = capsys.readouterr()
        return status, out.out + out.err

    return call


def test_the_command_keeps_what_was_seen(partner: tuple[Partner, list[Path]], told: Any, tmp_path: Path) -> None:
    """Parcels verified in turn pass; the same again is replayed, one left out is a gap, and a refusal keeps nothing."""
    _, (first, second, third) = partner
    seen = tmp_path / "seen"
    assert told("parcel", "verify", first, "--as", PARTY, "--seen", seen)[0] == 0
    before = seen.read_bytes()
    status, said = told("parcel", "verify", third, "--seen", seen)
    assert (status, "gap: 1 missing between number 1 and number 3" in said, seen.read_bytes()) == (1, True, before)
    assert told("parcel", "verify", second, "--seen", seen)[0] == 0
    assert told("parcel", "verify", third, "--seen", seen)[0] == 0
    status, said = told("parcel", "verify", third, "--seen", seen)
    assert (status, "replayed" in said) == (1, True)
    status, said = told("parcel", "verify", first, "--seen", seen)
    assert (status, "replayed" in said) == (1, True)
    assert told("parcel", "verify", first)[0] == 0
    seen.write_bytes(b"nothing")
    assert told("parcel", "verify", first, "--seen", seen)[0] == 1


def test_receipts_in_hand_do_as_well(partner: tuple[Partner, list[Path]], told: Any, tmp_path: Path) -> None:
    """With receipts for memory a replay, a gap and a continued trail are told, the last with the gateway's proof."""
    made, parcels = partner
    files = []
    for number, parcel in enumerate(parcels):
        files.append(tmp_path / f"receipt{number}")
        files[-1].write_bytes(made.receipt(parcel))
    assert told("parcel", "verify", parcels[1], "--receipt", files[0])[0] == 0
    assert "gap: 1 missing" in told("parcel", "verify", parcels[2], "--receipt", files[0])[1]
    assert told("parcel", "verify", parcels[2], "--receipt", files[0], "--receipt", files[1])[0] == 0
    assert "replayed" in told("parcel", "verify", parcels[1], "--receipt", files[1])[1]
    workspace = made.gateway.workspace
    key = workspace.ledger.verifier_key
    older = receipted(read_receipt(files[0].read_bytes()), key).size
    newer = sighting(made.verified(parcels[1]), key).size
    with workspace.database.read() as connection:
        path = workspace.ledger.prove_consistency(connection, older, newer)
    assert check_heads(
        sighting(made.verified(parcels[1]), key),
        [receipted(read_receipt(files[0].read_bytes()), key)],
        [Consistency(older, newer, tuple(path))],
    ) == 1  # fmt: skip
