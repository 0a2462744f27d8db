"""When copies must be gone, and whether a purge may run."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from passerelle.convention import Convention, answer, destruction_deadline, purge_allowed
from passerelle.convention.term import life
from tests.convention.conftest import at, history

CSP = "csp-ft-2024"
ENDED = {"e": "denounced", "by": "unml", "received_on": "2026-12-11"}
OPENED = {"e": "litigation_opened", "on": "2027-04-20", "scope": ["dataset-X"]}
OBLIGED = {"e": "legal_obligation_recorded", "on": "2027-04-20", "dataset": "dataset-X"}


@pytest.mark.parametrize(
    "case",
    [
        ([], "2027-05-12T09:00:00+02:00", None, False, "not_due"),
        ([ENDED], "2027-05-10T09:00:00+02:00", None, False, "not_due"),
        ([ENDED], "2027-05-11T00:00:00+02:00", None, True, "deadline_reached"),
        ([ENDED], "2027-06-30T09:00:00+02:00", None, True, "deadline_reached"),
        ([ENDED, OPENED], "2027-06-30T09:00:00+02:00", "dataset-X", False, "litigation"),
        ([ENDED, OPENED], "2027-06-30T09:00:00+02:00", "dataset-Y", True, "deadline_reached"),
        ([ENDED, OBLIGED], "2027-06-30T09:00:00+02:00", "dataset-X", False, "legal_obligation"),
        ([ENDED, {**OBLIGED, "until": "2027-06-30"}], "2027-06-30T23:59:59+02:00", "dataset-X", False, "legal_obligation"),
        ([ENDED, {**OBLIGED, "until": "2027-06-30"}], "2027-07-01T00:00:00+02:00", "dataset-X", True, "deadline_reached"),
        ([ENDED, {**OBLIGED, "until": "2027-06-30"}, {"e": "legal_obligation_ended", "on": "2027-06-30"}], "2027-06-30T09:00:00+02:00", "dataset-X", True, "deadline_reached"),
        ([OPENED, {"e": "declared_unnecessary", "on": "2027-04-21", "dataset": "dataset-X"}], "2027-05-01T09:00:00+02:00", "dataset-X", False, "litigation"),
        ([{"e": "declared_unnecessary", "on": "2026-06-01", "dataset": "dataset-X"}], "2026-05-31T09:00:00+02:00", "dataset-X", False, "not_due"),
        ([{**ENDED, "received_on": "2026-12-12"}], "2027-05-10T09:00:00+02:00", None, False, "not_due"),
        ([{**ENDED, "received_on": "2026-12-12"}], "2027-05-11T09:00:00+02:00", None, False, "term_disputed_needs_human_decision"),
        ([{**ENDED, "received_on": "2026-12-12"}, OPENED, {"e": "litigation_closed", "on": "2027-09-01"}], "2027-09-02T09:00:00+02:00", "dataset-X", False, "term_disputed_needs_human_decision"),
        ([{**ENDED, "received_on": "2026-12-12"}, {"e": "end_recorded", "on": "2027-03-11", "by": "dpo"}], "2027-05-11T09:00:00+02:00", None, True, "deadline_reached"),
        ([{**ENDED, "received_on": "2026-12-12"}, {"e": "reading_recorded", "term": 1, "reading": "timely", "by": "dpo"}], "2027-05-11T09:00:00+02:00", None, True, "deadline_reached"),
    ],
)  # fmt: skip
def test_a_purge_runs_only_when_it_may(
    conventions: dict[str, Convention], case: tuple[list[dict[str, Any]], str, str | None, bool, str]
) -> None:
    """A purge is allowed when the deadline's working day has come or the data are unnecessary, never held or disputed."""
    events, instant, dataset, allowed, reason = case
    args = {} if dataset is None else {"dataset": dataset}
    told = answer(conventions[CSP], history(*events), "purge_allowed", at(instant), args)
    assert told == {"allowed": allowed, "reason": reason}


@pytest.mark.parametrize(("until", "due"), [("2027-04-30", "2027-05-11"), ("2027-06-30", "2027-07-01")])
def test_what_is_held_through_a_day_is_due_on_the_next(
    conventions: dict[str, Convention], until: str, due: str
) -> None:
    """A hold that ends past the deadline moves it to the first day on which a purge may run (D5, D15); one that ends before, not."""
    events = history(ENDED, {**OBLIGED, "until": until})
    told = answer(
        conventions[CSP], events, "destruction_deadline", at("2027-03-20T09:00:00+01:00"), {"dataset": "dataset-X"}
    )
    assert told == due


def test_the_purge_may_run_on_the_working_day_before_a_weekend(conventions: dict[str, Convention]) -> None:
    """Saturday 29 February 2020 is the deadline: the purge may run from Friday 28 (D11)."""
    paca = conventions["paca-pe-2016"]
    signed = history({"e": "signed", "on": "2016-03-31"})
    assert purge_allowed(paca, signed, at("2020-02-27T23:59:00+01:00")).reason == "not_due"
    assert purge_allowed(paca, signed, at("2020-02-28T00:00:00+01:00")).reason == "deadline_reached"


def test_a_disputed_end_gives_the_earliest_deadline_and_who_decides(conventions: dict[str, Convention]) -> None:
    """Under dispute, the date shown is the earliest reading's, and the DPO decides (D18)."""
    events = history({**ENDED, "received_on": "2026-12-12"})
    told = destruction_deadline(conventions[CSP], events, at("2027-04-01T00:00:00Z"))
    assert (told.value, told.status, told.who_decides, told.basis) == (
        date(2027, 5, 11),
        "disputed",
        "dpo",
        "interpreted",
    )
    assert told.arithmetic.fr.endswith("fin contestée : date de la lecture la plus proche, au DPO de trancher")
    assert told.arithmetic.en.endswith("disputed end: date of the earliest reading, for the DPO to settle")
    assert answer(conventions[CSP], events, "destruction_deadline", None, {}) == "disputed"


def test_a_hold_lifted_for_one_dataset_still_keeps_the_other(conventions: dict[str, Convention]) -> None:
    """A lifting that names a dataset frees that one alone; a lifting of another id frees none (D15)."""
    hold = {**OPENED, "id": "case-1", "scope": ["dataset-X", "dataset-Y"]}
    lifted = {"e": "litigation_closed", "id": "case-1", "on": "2028-01-31", "scope": ["dataset-X"]}
    other = {"e": "litigation_closed", "id": "case-2", "on": "2028-01-31"}
    csp, instant = conventions[CSP], at("2028-02-01T00:00:00Z")
    told = {
        name: destruction_deadline(csp, history(ENDED, hold, lifted), instant, name).value for name in hold["scope"]
    }
    assert told == {"dataset-X": date(2028, 1, 31), "dataset-Y": None}
    assert destruction_deadline(csp, history(ENDED, hold, other), instant, "dataset-X").reason == "litigation"


def test_silent_texts_follow_the_hub_and_say_so(conventions: dict[str, Convention]) -> None:
    """A deadline that the text does not give is marked as the hub's own policy; the stated one cites its article."""
    geiq = destruction_deadline(conventions["geiq-amilaura-2024"], (), None)
    assert (geiq.value, geiq.basis, geiq.article) == (date(2026, 1, 6), "hub_policy", None)
    csp = destruction_deadline(conventions[CSP], history(ENDED), None)
    assert (csp.basis, csp.article) == ("stated", "art. 7 § 6")
    assert csp.arithmetic.fr.endswith("11 mars 2027 + 2 mois = 11 mai 2027, sans report")
    assert csp.arithmetic.en.endswith("11 March 2027 + 2 months = 11 May 2027, no roll")


def test_of_two_ends_at_one_instant_the_earlier_deadline_counts(conventions: dict[str, Convention]) -> None:
    """A term that ends on the eve of the day a termination takes effect: the two months count from the term (D10, D11)."""
    letter = {"e": "termination_letter", "by": "cheops", "form": "registered_letter_ar", "received_on": "2027-01-12"}
    told = {
        len(events): answer(conventions[CSP], history(*events), "destruction_deadline", None, {})
        for events in ([letter], [letter, ENDED])
    }
    assert told == {1: "2027-05-12", 2: "2027-05-11"}


def test_an_unknown_end_has_no_deadline(conventions: dict[str, Convention]) -> None:
    """As long as no end is on record there is nothing to count two months from."""
    assert answer(conventions["face-pe-2014"], (), "destruction_deadline", at("2026-11-21T12:00:00Z"), {}) is None
    assert answer(conventions["face-pe-2014"], (), "purge_allowed", at("2026-11-21T12:00:00Z"), {}) == {
        "allowed": False, "reason": "not_due",
    }  # fmt: skip


@given(st.integers(0, 2500), st.booleans(), st.booleans())
@example(shift=2100, by_letter=False, with_hold=True)
@example(shift=2100, by_letter=True, with_hold=True)
def test_a_deadline_is_never_before_the_end(
    conventions: dict[str, Convention], shift: int, by_letter: bool, with_hold: bool
) -> None:
    """However a convention ends, its copies are never due for destruction before it has ended."""
    day = date(2024, 3, 13) + timedelta(days=shift)
    end = {"e": "termination_letter", "form": "registered_letter_ar", "by": "unml", "received_on": str(day)}
    events: list[dict[str, Any]] = [end if by_letter else {**ENDED, "received_on": str(day)}]
    if with_hold:
        events += [{**OPENED, "on": str(day)}, {"e": "litigation_closed", "on": str(day + timedelta(days=400))}]
    known = history(*events)
    ending = life(conventions[CSP], known).end
    told = destruction_deadline(conventions[CSP], known, None, "dataset-X")
    assert ending is not None
    assert isinstance(told.value, date)
    if told.status == "disputed":  # the earliest reading, which alerts but destroys nothing (D18)
        night = datetime(told.value.year, told.value.month, told.value.day, 23, tzinfo=conventions[CSP].zone)
        assert purge_allowed(conventions[CSP], known, night, "dataset-X").value is not True
    else:
        assert told.value > ending.last_day
    target = answer(conventions[CSP], known, "internal_purge_target", None, {"dataset": "dataset-X"})
    assert target == "disputed" or target <= told.value.isoformat()
