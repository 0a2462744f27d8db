"""Holds keep what they name and nothing else, through the commands, on a gateway with copies of several exchanges and periods."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passerelle.convention import Event, load
from passerelle.convention.destruction import purge_allowed
from passerelle.convention.holds import What
from portal.cli import run
from retention.plan import plan
from retention.scope import Ruling, Scope, held, ruled, rulings
from retention.suspending import Asked, lift, overdue, place
from tests.gateway import CSP_ENDED, OFFERS, POOLS, ROOT, Gateway, at, pools

CSP = "csp-ft-2024"
NOW = "2025-06-20T10:00:00+02:00"
DUE = "2025-10-10T05:00:00+02:00"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """Candidates of two months and public offers, under a convention that was denounced."""
    folder = tmp_path_factory.mktemp("holds")
    made = pools(folder / "gateway").partner("france-travail")
    made.record((CSP, "instrument_recorded", {"id": "offers-data-exchange-convention", "on": "2025-05-05"}))
    for period, rows in (("2025-05", 50), ("2025-06", 70)):
        made.run(POOLS, period, made.write(POOLS, rows, bad_rate=0.02))
    made.run(OFFERS, "2025-05", made.write(OFFERS, 30))
    made.record(CSP_ENDED).move_to(NOW)
    return made, made.saved(folder / "saved")


@pytest.fixture
def gateway(saved: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """The gateway as it was saved."""
    made, folder = saved
    again = made.restored(folder)
    yield again
    again.workspace.close()


@pytest.fixture
def typed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Types a hold command at an instant: its status and its JSON."""

    def typing(instant: str, *words: str) -> tuple[int, Any]:
        for name, value in {"HOME": str(gateway.home), "NOW": instant, "LANG": "fr", "ACTOR": "dpo"}.items():
            monkeypatch.setenv(f"PASSERELLE_{name}", value)
        status = run(["hold", *words, "--json"])
        out = capsys.readouterr().out
        return status, json.loads(out) if out else None

    return typing


def kept(gateway: Gateway, instant: str) -> set[tuple[str, str | None]]:
    """What may not go at an instant: exchange and period."""
    gateway.move_to(instant)
    with gateway.workspace.database.read() as connection:
        found = rulings(gateway.workspace, connection, Scope(CSP))
    assert found
    return {(one.copy.exchange, one.what.period) for one in found if not one.may_go}


def summed(found: list[Ruling]) -> Counter[Any]:
    """How many copies of each exchange and kind have which ruling."""
    counts: Counter[Any] = Counter()
    for one in found:
        counts[
            one.copy.exchange, one.copy.kind, one.reason, one.may_go, str(one.deadline), one.hold and one.hold.id
        ] += one.count
    return counts


@pytest.mark.parametrize(
    ("named", "alike"),
    [((), True), (("--exchange", "candidate-pools"), True), (("--period", "2025-06"), False), (None, True)],
)
def test_one_ruling_stands_for_all_that_are_alike(
    gateway: Gateway, typed: Any, named: tuple[str, ...] | None, *, alike: bool
) -> None:
    """Where nothing may go and no hold names a period, a plan asks once for each exchange and kind, and says the same."""
    if named is not None:
        assert typed(NOW, *PLACE, *named)[0] == 0
    for instant, some in ((NOW, alike), (DUE, alike and named == ())):
        gateway.move_to(instant)
        with gateway.workspace.database.read() as connection:
            each = rulings(gateway.workspace, connection, Scope(CSP))
            found = ruled(gateway.workspace, connection, Scope(CSP))
            planned = plan(gateway.workspace, connection, CSP)
        assert summed(found) == summed(each)
        assert (len(found) < len(each)) == some
        assert found[0].copy == each[0].copy
        assert planned.not_due == sum(1 for one in each if not one.may_go and one.hold is None)
        assert planned.held == tuple(held(each))


LATE = "2025-11-20T09:00:00+01:00"
PLACE = ("place", CSP, "--reason", "contentieux 24/118", "--review", "2025-12-01", "--owner", "DPO")


@pytest.mark.parametrize(
    ("named", "keeps"),
    [
        ((), {("candidate-pools", "2025-05"), ("candidate-pools", "2025-06"), ("public-job-offers", "2025-05")}),
        (("--exchange", "candidate-pools"), {("candidate-pools", "2025-05"), ("candidate-pools", "2025-06")}),
        (("--dataset", "Candidate-Pool"), {("candidate-pools", "2025-05"), ("candidate-pools", "2025-06")}),
        (("--period", "2025-06"), {("candidate-pools", "2025-06")}),
        (("--dataset", "job_offers", "--period", "2025-Q2"), {("public-job-offers", "2025-05")}),
        (("--exchange", "public-job-offers", "--period", "2025-06"), set()),
    ],
)
def test_a_hold_keeps_exactly_what_it_names(
    gateway: Gateway, typed: Any, named: tuple[str, ...], keeps: set[Any]
) -> None:
    """On the deadline everything may go but what an active hold names; once lifted, that may go the same day."""
    status, placed = typed(NOW, *PLACE, *named)
    assert (status, placed["state"]) == (0, "active")
    assert kept(gateway, DUE) == keeps
    status, lifted = typed(DUE, "lift", placed["id"], "--reason", "désistement")
    assert (status, lifted["state"], lifted["copies"]) == (0, "lifted", 0)
    assert kept(gateway, DUE) == set()
    assert typed(DUE, "lift", placed["id"], "--reason", "encore")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("place", CSP, "--reason", " ", "--review", "2025-12-01"),
        ("place", CSP, "--reason", "x", "--review", "2025-06-20"),
        ("place", CSP, "--reason", "x", "--review", "2025-12-01", "--dataset", "nothing"),
        ("place", CSP, "--reason", "x", "--review", "2025-12-01", "--period", "mai"),
        ("place", CSP, "--reason", "x", "--review", "2025-12-01", "--kind", "whim"),
        ("place", CSP, "--reason", "x", "--review", "2025-12-01", "--on", "2025-07-01"),
        ("place", CSP, "--reason", "x", "--review", "2025-12-01", "--person", "not an identifier"),
        ("lift", "h-00000000", "--reason", "x"),
    ],
)
def test_a_hold_that_would_keep_nothing_is_refused(gateway: Gateway, typed: Any, words: tuple[str, ...]) -> None:
    """What is unknown, without reason, or never looked at again, is wrong usage; nothing is recorded."""
    before = len(gateway.entries("event_recorded"))
    assert typed(NOW, *words) == (2, None)
    assert len(gateway.entries("event_recorded")) == before


def test_a_hold_past_its_review_is_told(gateway: Gateway, typed: Any) -> None:
    """The day after its review an active hold is listed first, as overdue, and still keeps what it names."""
    _, placed = typed(NOW, *PLACE, "--exchange", "candidate-pools", "--evidence", str(ROOT / "pyproject.toml"))
    _, found = typed("2025-12-02T09:00:00+01:00", "list")
    assert (found[0]["id"], found[0]["state"], found[0]["owner"]) == (placed["id"], "review_overdue", "DPO")
    assert len(found[0]["evidence_sha256"]) == 64
    assert {one["state"] for one in found[1:]} <= {"lifted"}
    gateway.move_to("2025-12-02T09:00:00+01:00")
    with gateway.workspace.database.read() as connection:
        assert [one.id for one in overdue(gateway.workspace, connection)] == [placed["id"]]
    assert kept(gateway, "2025-12-02T09:00:00+01:00") == {
        ("candidate-pools", "2025-05"),
        ("candidate-pools", "2025-06"),
    }


def test_a_hold_on_a_person_keeps_no_identifier(gateway: Gateway) -> None:
    """The runs that have the person are kept, the others go; the record has a keyed tag and nothing that was typed."""
    may, june = (_identifiers(gateway, rows) for rows in (50, 70))
    person = next(one for one in june if one not in may)
    gateway.move_to(NOW)
    asked = Asked("litigation", "dossier 12", "DPO", at("2025-12-01T00:00:00+01:00").date(), person=person)
    one = place(gateway.workspace, CSP, asked, by="dpo")
    assert one.person
    assert kept(gateway, DUE) == {("candidate-pools", "2025-06")}
    for path in gateway.home.glob("passerelle.db*"):
        assert person.encode() not in path.read_bytes()
    lift(gateway.workspace, one.id, reason="fin", by="dpo")
    assert kept(gateway, DUE) == set()


def _identifiers(gateway: Gateway, rows: int) -> list[str]:
    lines = gateway.write(POOLS, rows, bad_rate=0.02).read_text("cp1252").splitlines()
    return [line.split(";")[0] for line in lines[1:]]


def test_a_hold_between_plan_and_run_saves_what_it_names_until_it_is_lifted(
    gateway: Gateway, typed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The purge takes all but what was held since its plan; lifted after the deadline, what was missed goes the same day."""

    def purge(*words: str) -> tuple[int, Any]:
        status = run(["purge", *words, "--json"])
        return status, json.loads(capsys.readouterr().out or "null")

    typed(DUE, "list")  # sets the instant
    assert purge("plan", CSP)[0] == 0
    _, placed = typed(DUE, *PLACE, "--exchange", "candidate-pools", "--period", "2025-06")
    assert purge("run", CSP, "--confirm")[0] == 0
    proved = " ".join(one["en"] for one in purge("certificate", CSP)[1]["proved"])
    assert "Each copy named was removed" in proved
    assert "Every registered copy" not in proved
    with gateway.workspace.database.read() as connection:
        left = rulings(gateway.workspace, connection, Scope(CSP))
    assert {(one.copy.exchange, one.what.period) for one in left} == {("candidate-pools", "2025-06")}
    assert len(left) == placed["copies"]
    locations = {one.copy.location for one in left}
    assert gateway.workspace.keys.copy_keys(CSP) <= locations
    assert all(gateway.workspace.path(one).exists() for one in locations)
    assert run(["purge", "run", CSP, "--confirm"]) == 1
    refused = capsys.readouterr().err
    assert "un contentieux retient ses copies" in refused
    assert "passerelle hold list" in refused
    assert typed(LATE, "lift", placed["id"], "--reason", "désistement")[0] == 0
    assert purge("run", CSP, "--confirm")[0] == 0
    assert not [one for one in gateway.present(convention=CSP) if one.ours and one.kind != "index"]
    assert CSP in gateway.workspace.keys.destroyed()
    assert len(gateway.entries("purge_certificate")) == 2


def test_lifting_a_hold_says_what_is_due_at_once(
    gateway: Gateway, typed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the deadline nothing is called due; past it, as many copies as the hold alone kept."""
    for instant, words in ((NOW, "aucune copie n'est due à ce jour"), (LATE, "à détruire aussitôt")):
        _, placed = typed(instant, *PLACE, "--exchange", "candidate-pools", "--period", "2025-06")
        assert placed["copies"] == 3
        assert run(["hold", "lift", placed["id"], "--reason", "désistement"]) == 0
        told = capsys.readouterr().out
        assert words in told
        assert ("3 copies" in told) == (instant == LATE)
    gateway.move_to(LATE)


def test_a_litigation_recorded_as_an_event_is_lifted_by_its_number(gateway: Gateway, typed: Any) -> None:
    """A hold that was recorded by hand, without an id, is listed and lifted by the number of its event."""
    gateway.move_to(NOW).record((CSP, "litigation_opened", {"on": "2025-06-19", "scope": ["candidate-pools"]}))
    _, found = typed(NOW, "list", CSP)
    number = found[0]["id"]
    assert number.startswith("e-")
    assert typed(NOW, "lift", number, "--reason", "clos")[1]["state"] == "lifted"
    assert gateway.entries("event_recorded")[-1]["event"] == "litigation_closed"


def test_a_narrow_hold_leaves_the_dataset_its_date() -> None:
    """Asked of a dataset as a whole, a hold on one period or person changes nothing; asked of what it names, it keeps it."""
    text = load(Path(ROOT / "conventions" / f"{CSP}.yaml"))
    ended = Event("termination_letter", CSP_ENDED[2])
    instant = at(DUE)
    held = Event("hold_placed", {"on": "2025-06-20", "scope": ["x"], "period": "2025-05", "persons": ["aa"]})
    for what, allowed in (
        ("x", True),
        (What(frozenset({"x"}), "2025-05"), True),
        (What(frozenset({"x"}), "2025-05", frozenset({"bb"})), True),
        (What(frozenset({"x"}), "2025-05-12", frozenset({"aa"})), False),
        (What(frozenset({"y"}), "2025-05", frozenset({"aa"})), True),
    ):
        assert purge_allowed(text, (ended, held), instant, what).value is allowed


def test_what_is_refused_before_the_deadline_is_not_laid_to_a_hold_on_a_part(
    gateway: Gateway, typed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hold keeps one period, the rest is not due: the refusal and the plan name the deadline, and the hold where it keeps all."""
    for named, words in ((("--period", "2025-06"), "l'échéance n'est pas atteinte"), ((), "un contentieux retient")):
        typed(NOW, *PLACE, *named)
        assert run(["purge", "run", CSP, "--confirm"]) == 1
        assert words in capsys.readouterr().err
        assert run(["purge", "run", CSP]) == 0
        assert "rien ne peut l'être à ce jour" in capsys.readouterr().out
    gateway.move_to(NOW)


def test_once_destroyed_there_is_nothing_to_keep_or_to_plan(
    gateway: Gateway, typed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the purge a hold, an objection and an erasure are refused in plain words, and no plan says that it may run."""
    typed(DUE, "list")
    assert run(["purge", "run", CSP, "--confirm"]) == 0
    person = _identifiers(gateway, 50)[0]
    capsys.readouterr()
    for words in (
        ["hold", *PLACE],
        ["person", "object", person, "--convention", CSP, "--kind", "france-travail", "--reason", "q-1"],
        ["person", "erase", person, "--convention", CSP, "--reason", "q-1", "--plan"],
        ["person", "erase", person, "--convention", CSP, "--reason", "q-1"],
    ):
        assert run(words) == 1
        assert "ont été détruites : plus aucune copie" in capsys.readouterr().err
    assert run(["purge", "plan", CSP, "--json"]) == 0
    [planned] = json.loads(capsys.readouterr().out)
    assert (planned["allowed"], planned["reason"], planned["copies"]) == (False, "nothing_held", [])
    assert run(["purge", "run", CSP, "--confirm"]) == 1
    assert "rien n'est détenu" in capsys.readouterr().err
