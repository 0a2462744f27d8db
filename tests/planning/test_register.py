"""The register of obligations: due, done with its evidence, late; and every clause that asks for one is in it."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from passerelle.convention import Convention
from passerelle.planning import Delivery, Entry, Known, late, register
from tests.planning.conftest import CSP, FACE, GEIQ, OCE, PACA, SIGNED, SIGNED_OCE, at, known

SEEDS = {"000": OCE, "001": FACE, "002": PACA, "003": GEIQ, "004": CSP}
# Each clause whose software is an obligation, an alert or a report, by some words of it: the line of the register.
CARRIED = {
    "000": {
        "durée supérieure": "vacancies-announced", "are received": "receive-candidates", "5 jours": "profiles-in-time",
        "rythme à définir": "review-rhythm", "reasons of the denunciation": "denunciation-reasons",
    },
    "001": {"Gender": "gender-balance", "Joint events": "joint-events", "Ministry": "ministry-involvement"},
    "002": {
        "dès leur finalisation": "studies-when-final", "Attribution": "source-named", "Post-June": "purchase-modalities",
        "actual entry": "entries-told-in-time", "reacts": "fill-places", "priorities": "business-priorities-results",
        "Involve PE": "early-involvement", "unfilled offers": "unfilled-offers-analysis", "48 heures": "brea-first-contact",
        "reporting mensuel": "brea-monthly-report", "régulière": "events-review", "Indicators": "amendment-indicators",
        "COPIL «trim": "copil", "COTECH": "cotech", "Execution report": "annual-report",
    },
    "003": {
        "referent": "referent-per-mission-locale", "exchange meeting": "annual-information-meeting",
        "semestriel": "semester-review", "logo": "partner-logo", "webinar": "annual-webinar", "sheet": "partner-sheet",
    },
    "004": {
        "More and better": "offers-published", "CLEP": "clep", "consulted": "consult-on-communication",
        "suivi annuelle": "annual-steering-meeting", "Tacit renewal": "opt-out", "Annual meeting": "annual-results-review",
    },
}  # fmt: skip


def lines(entries: list[Entry], name: str) -> list[tuple[str | None, str | None, str]]:
    """Due date, period and state of one line's entries."""
    return [(None if one.due is None else one.due.isoformat(), one.period, one.state) for one in entries if one.id == name]  # fmt: skip


def test_every_clause_that_asks_for_evidence_has_its_line(shared: Path, conventions: dict[str, Convention]) -> None:
    """All the clauses whose software is an obligation, an alert or a report are in the texts, under one line each."""
    with (shared / "domain" / "clauses.csv").open(encoding="utf-8", newline="") as stream:
        clauses = [row for row in csv.DictReader(stream) if re.search("obligation|alert|report", row["software"], re.IGNORECASE)]  # fmt: skip
    assert len(clauses) > 30
    missing = []
    for row in clauses:
        seed = row["seed"][:3]
        found = [name for key, name in CARRIED[seed].items() if key in row["clause"]]
        text = conventions[SEEDS[seed]]
        known_ids = {one.id for block in (text.obligations, text.exchanges, text.instruments, text.service_levels) for one in block}  # fmt: skip
        known_ids |= {"opt-out"} if text.term.renewal.kind == "tacit" else set()
        if not any(name in known_ids for name in found):
            missing.append((seed, row["article"], found))
    assert missing == []


def test_a_meeting_is_due_then_done_or_late(conventions: dict[str, Convention]) -> None:
    """A quarterly meeting: held with its evidence, missed, and to come."""
    held = {"e": "meeting_held", "id": "copil", "on": "2017-02-07", "evidence_sha256": "ab" * 32}
    entries = register(known(conventions[PACA], SIGNED, held), at("2017-08-15T09:00:00+02:00"), since=date(2017, 1, 1), until=date(2017, 12, 31))  # fmt: skip
    assert lines(entries, "copil") == [
        ("2017-03-31", "2017-Q1", "done"),
        ("2017-06-30", "2017-Q2", "late"),
        ("2017-09-30", "2017-Q3", "due"),
        ("2017-12-31", "2017-Q4", "due"),
    ]
    (proof,) = next(one.evidence for one in entries if (one.id, one.period) == ("copil", "2017-Q1"))
    assert proof.as_json() == {"date": "2017-02-07", "event": "meeting_held", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ((), "late"),
        (({"e": "meeting_held", "id": "cotech", "on": "2017-05-10"},), "late"),
        (({"e": "minutes_sent", "id": "cotech", "on": "2017-05-10"},), "late"),
        (({"e": "meeting_held", "id": "cotech", "on": "2017-05-10", "minutes": True},), "done"),
        (({"e": "meeting_held", "id": "cotech", "on": "2017-05-10"}, {"e": "minutes_sent", "id": "cotech", "on": "2017-05-20"}), "done"),
    ],
)  # fmt: skip
def test_a_meeting_that_owes_minutes_is_done_with_them(
    conventions: dict[str, Convention], told: tuple[dict[str, object], ...], state: str
) -> None:
    """A monthly meeting without its minutes is late, and minutes without a meeting show nothing."""
    entries = register(known(conventions[PACA], SIGNED, *told), at("2017-06-15T09:00:00+02:00"), since=date(2017, 5, 1), until=date(2017, 5, 31))  # fmt: skip
    assert lines(entries, "cotech") == [("2017-05-31", "2017-05", state)]


def test_twice_a_year_is_counted(conventions: dict[str, Convention]) -> None:
    """What is owed twice a year is late with one, done with two."""
    one = {"e": "meeting_held", "id": "clep", "on": "2025-03-01"}
    two = {"e": "obligation_done", "id": "clep", "on": "2025-11-01"}
    for told, state in (((one,), "late"), ((one, two), "done")):
        entries = register(known(conventions[CSP], *told), at("2026-01-02T09:00:00+01:00"), since=date(2025, 1, 1), until=date(2025, 12, 31))  # fmt: skip
        assert lines(entries, "clep") == [("2025-12-31", "2025", state)]


def test_a_contract_year_counts_from_the_signature(conventions: dict[str, Convention]) -> None:
    """Yearly meetings close with the contract's years, half-yearly ones with its halves."""
    entries = register(known(conventions[GEIQ]), at("2025-06-15T09:00:00+02:00"))
    assert lines(entries, "semester-review") == [("2025-05-06", "1", "late"), ("2025-11-06", "2", "due")]
    assert lines(entries, "annual-webinar") == [("2025-11-06", "2025", "due")]
    assert lines(entries, "partner-logo") == [(None, None, "standing")]


def test_a_stated_date_and_a_review_before_the_end(conventions: dict[str, Convention]) -> None:
    """A stated date is late the day after; a yearly review is done by its delivery."""
    entries = register(known(conventions[PACA], SIGNED), at("2017-01-01T09:00:00+01:00"), until=date(2017, 12, 31))
    assert lines(entries, "purchase-modalities") == [("2016-12-31", None, "late")]
    assert lines(entries, "annex-vae") == [("2016-06-30", None, "late")]
    filed = {"e": "instrument_recorded", "id": "annex-vae", "on": "2016-06-15"}
    entries = register(known(conventions[PACA], SIGNED, filed), at("2017-01-01T09:00:00+01:00"), until=date(2017, 1, 1))
    assert lines(entries, "annex-vae") == [("2016-06-30", None, "done")]
    sent = Delivery("annual-review", "2025", at("2025-10-01T09:00:00+02:00"))
    entries = register(known(conventions[GEIQ], deliveries=(sent,)), at("2025-10-07T09:00:00+02:00"))
    assert lines(entries, "annual-review") == [("2025-10-06", None, "done")]


def test_what_has_no_date_is_in_the_register_too(conventions: dict[str, Convention]) -> None:
    """What is owed once without a date stays open until something shows it; what goes on is told as such."""
    entries = register(known(conventions[OCE], SIGNED_OCE), at("2025-06-15T09:00:00+02:00"))
    assert lines(entries, "named-adviser") == lines(entries, "review-rhythm") == [(None, None, "not_dated")]
    assert lines(entries, "freedom-to-hire") == [(None, None, "standing")]
    agreed = {"e": "obligation_done", "id": "review-rhythm", "on": "2025-03-01"}
    entries = register(known(conventions[OCE], SIGNED_OCE, agreed), at("2025-06-15T09:00:00+02:00"))
    assert lines(entries, "review-rhythm") == [(None, None, "done")]


def test_daily_exchanges_are_not_in_the_register(conventions: dict[str, Convention]) -> None:
    """What leaves every day is the plan's; what comes back every month is owed, and named in both languages."""
    entries = register(known(conventions[PACA], SIGNED), at("2017-06-15T09:00:00+02:00"), until=date(2017, 12, 31))
    names = {one.id for one in entries}
    assert "brea-offers" not in names
    assert {"brea-monthly-report", "training-outcomes", "unfilled-offers-analysis"} <= names
    for one in entries:
        told = one.as_json()
        assert told["title"]["fr"] and told["title"]["en"] and told["who"]  # noqa: PT018 - one line in two languages
        assert told["arithmetic"]["fr"] and told["arithmetic"]["en"]  # noqa: PT018 - the same sentence


def test_only_what_fell_due_since_a_day_is_late_since_it(conventions: dict[str, Convention]) -> None:
    """What was due before a day is not late since that day."""
    what: Known = known(conventions[CSP])
    now = at("2026-04-01T09:00:00+02:00")
    assert {one.period for one in late(what, now, since=date(2025, 12, 31))} == {"2025", "2026"}
    assert [one.id for one in late(what, now, since=date(2026, 3, 12))] == []
