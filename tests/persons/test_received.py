"""Who received data on a person: answered from the keyed index, which says nothing without its key (GDPR art. 15; C-154/21)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from passerelle.errors import UsageError, WorkspaceError
from passerelle.minimise import cmac
from passerelle.persons import Answer, kinds_of, received
from passerelle.shard import Shard, holds
from portal.cli import run
from retention import index
from retention.purge import purge
from tests.gateway import CSP_ENDED, Gateway, edited, two_recipients
from tests.gateway import TWO as EXCHANGE
from tests.gateway import pools as ready

CSP = "two-ministries"
PERSON = {
    "jobseeker_id": "98765432", "email": "quintard.canari@exemple.fr", "last_name": "Quintardcanari",
    "birth_date": "03/02/1990", "first_name": "Zoé",
}  # fmt: skip


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered two months to two ministries; the person is in the second."""
    folder = tmp_path_factory.mktemp("received")
    gateway = ready(folder / "gateway")
    two_recipients(gateway)
    gateway.run(EXCHANGE, "2025-04", gateway.write(EXCHANGE, 20, seed=1, name="april.csv"))
    gateway.run(EXCHANGE, "2025-05", edited(gateway.write(EXCHANGE, 20, seed=2, name="may.csv"), {2: PERSON}))
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def gateway(stage: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """That gateway as it was saved."""
    made = stage[0].restored(stage[1])
    yield made
    made.workspace.close()


def asked(gateway: Gateway, identifier: str, kind: str | None = None, convention: str | None = None) -> Answer:
    """The answer on one identifier."""
    with gateway.workspace.database.read() as connection:
        return received(gateway.workspace, connection, identifier, kind=kind, convention=convention)


def test_each_recipient_is_named_with_what_it_received(gateway: Gateway) -> None:
    """By any identifier that the file bore: both ministries, the one period, the columns that left, article, purpose, deadline."""
    for identifier in (
        "98765432",
        PERSON["email"].upper(),
        "quintardcanari;ZOE;1990-02-03",
        "Quintardcanari ; Zoé ; 3/2/1990",
    ):
        found = asked(gateway, identifier)
        assert {one.recipient for one in found.deliveries} == {"mtfp", "mtss"}
        assert {one.period for one in found.deliveries} == {"2025-05"}
        assert (found.runs_searched, found.expired) == (2, ())
        assert {one.weak for one in found.deliveries} == {";" in identifier}
    one = asked(gateway, "98765432").deliveries[0]
    assert (one.article, one.columns_from, one.sender) == ("art. 3 (commun), point 1", "manifest", "france-travail")
    assert "jobseeker_id" in one.columns
    assert one.recipient_name.startswith("Ministère")
    assert one.purpose is not None
    assert (one.opened_at, one.receipted_at, one.superseded_by, one.purged) == (None, None, None, False)


def test_another_person_is_in_no_delivery(gateway: Gateway) -> None:
    """Somebody who was in no file, and one convention asked beside another."""
    assert asked(gateway, "12345678").deliveries == ()
    assert asked(gateway, "98765432", convention="csp-ft-2024").deliveries == ()
    with pytest.raises(UsageError):
        asked(gateway, "98765432", convention="no-such")


def test_the_index_answers_after_the_purge_and_then_says_that_it_is_gone(gateway: Gateway) -> None:
    """Twelve months after the purge the answer is not "nobody" but "can no longer be known"."""
    gateway.record(("two-ministries", *CSP_ENDED[1:])).move_to("2025-10-10T05:00:00+02:00")
    purge(gateway.workspace, CSP)
    after = asked(gateway, "98765432")
    assert {(one.recipient, one.purged, one.columns_from) for one in after.deliveries} == {
        ("mtfp", True, "convention"),
        ("mtss", True, "convention"),
    }
    assert "jobseeker_id" in after.deliveries[0].columns
    gateway.move_to("2026-10-11T05:00:00+02:00")
    with gateway.workspace.database.read() as connection:
        over = index.expired(gateway.workspace, connection)
    for one in over:
        index.destroy(gateway.workspace, one)
    gone = asked(gateway, "98765432")
    assert gone.deliveries == ()
    assert [(one.convention, one.runs) for one in gone.expired] == [(CSP, 2)]


def test_a_part_of_the_index_that_is_missing_or_cut_gives_no_answer(gateway: Gateway) -> None:
    """An answer from what is left would be wrong in silence."""
    [first, _] = sorted((gateway.home / "index" / CSP).glob("*.tags"))
    first.write_bytes(first.read_bytes()[:-8])
    with pytest.raises(WorkspaceError, match="missing or cut"):
        asked(gateway, "98765432")
    first.unlink()
    with pytest.raises(WorkspaceError, match="missing or cut"):
        asked(gateway, "98765432")


def test_the_index_reveals_nothing_without_its_key(gateway: Gateway) -> None:
    """A hundred thousand identifiers, the person's among them, tagged under other keys match no byte of it; its bytes look random."""
    shards = [path.read_bytes() for path in sorted((gateway.home / "index" / CSP).glob("*.tags"))]
    known = set(np.frombuffer(b"".join(shards), ">u8").tolist())
    assert len(known) > 100
    import pyarrow as pa

    guesses = pa.array([f"france-travail:{number:08}" for number in range(98_700_000, 98_800_000)])
    for key in (bytes(16), secrets.token_bytes(16)):
        tags = cmac(key, pa.chunked_array([guesses]))
        assert not known & set(np.ascontiguousarray(tags).view(">u8")[:, 0].tolist())
    assert b"98765432" not in b"".join(shards)
    bits = np.unpackbits(np.frombuffer(b"".join(shards), np.uint8))
    assert abs(bits.mean() - 0.5) < 0.05


def test_a_million_random_checks_find_nobody_else(tmp_path: Path) -> None:
    """A shard of ten thousand persons says yes to none of a million others: by chance it would once in 1.8e9 such tests."""
    generator = np.random.default_rng(7)
    digests = generator.integers(0, 256, (10_000, 16), np.uint8)
    path = tmp_path / "one.tags"
    with Shard(tmp_path) as shard, path.open("wb") as file:
        shard.add(digests)
        shard.write(file)
    tags = np.frombuffer(path.read_bytes(), ">u8")
    others = generator.integers(0, 2**64, 1_000_000, np.uint64)
    place = np.searchsorted(tags.astype(np.uint64), others)
    assert not (tags.astype(np.uint64)[np.minimum(place, len(tags) - 1)] == others).any()
    assert all(holds(path, one.tobytes()) for one in digests[:200])
    assert not any(holds(path, secrets.token_bytes(16)) for _ in range(2_000))


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("1 85 05 78 006 084 91", ("nir",)),
        ("185057800608491", ("nir",)),
        ("2 69 05 2A 123 456", ("nir",)),
        ("756.9217.0769.85", ("avs", "nir")),
        ("1234567A", ("france-travail",)),
        ("12345678901", ("france-travail",)),
        ("Someone@exemple.fr", ("email",)),
        ("DUPONT;Anne;01/02/1980", ("name-birth",)),
    ],
)
def test_the_kind_is_read_from_the_form(typed: str, kinds: tuple[str, ...]) -> None:
    """What a DPO copies from a letter is recognised, with its separators."""
    assert kinds_of(typed) == kinds


@pytest.mark.parametrize(
    "typed", ["185057800608492", "756.9217.0769.84 0", "Anne Dupont", "DUPONT;Anne;31/02/1980", "123"]
)
def test_what_is_no_identifier_is_refused_and_not_repeated(typed: str) -> None:
    """Wrong check digits, an impossible date, a bare name: a hint, and never the value."""
    with pytest.raises(UsageError) as told:
        kinds_of(typed)
    assert told.value.hint
    assert typed not in f"{told.value} {told.value.hint} {told.value.fr} {told.value.hint_fr}"


def test_by_the_command_line(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The identifier comes from a file; the answer names recipients, the access log who asked and why, neither the person."""
    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_NOW", "2025-05-12T06:00:00+02:00")
    held = tmp_path / "identifier.txt"
    held.write_text(PERSON["email"] + "\n", "utf-8")
    words = ["person", "received", "--identifier-file", str(held), "--by", "dpo", "--reason", "letter of 5 May"]
    for lang in ("fr", "en"):
        monkeypatch.setenv("PASSERELLE_LANG", lang)
        assert run(words) == 0
        assert PERSON["email"] not in capfd.readouterr().out
    assert run([*words, "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["recipients"] == ["mtfp", "mtss"]
    assert 0 < answer["false_positive_rate"] < 1e-15
    assert run(["access", "log", "--action", "person_received", "--json"]) == 0
    logged = capfd.readouterr().out
    assert [(one["actor"], one["subject"], one["count"]) for one in json.loads(logged)][-1] == ("dpo", "person", 1)
    assert PERSON["email"] not in logged
    assert run(["person", "received", "185057800608492", "--json"]) == 2
    came = capfd.readouterr()
    assert "185057800608492" not in came.out + came.err
