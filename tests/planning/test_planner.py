"""The plan: every date that the text and the record bring, once, with its ground, its state and the gate's answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.convention import Convention, Event
from passerelle.planning import Delivery, Known, plan, standing
from tests.planning.conftest import CSP, FACE, GEIQ, OCE, PACA, SIGNED, SIGNED_OCE, at, known, lines, planned

VACANCY = {"e": "vacancy_email_received", "at": "2025-04-17T10:00:00+02:00", "vacancy": "v1"}
OFFER = {"e": "offer_received", "at": "2017-03-25T10:00:00+01:00"}


def test_a_tacit_renewal_is_announced_at_six_four_and_three_and_a_half_months(
    conventions: dict[str, Convention],
) -> None:
    """The parties are told three times before the renewal, then of the last safe day, then of the renewal."""
    items = planned(known(conventions[CSP]), "2026-09-01", "2027-03-31", "2026-09-01T06:00:00+02:00")
    assert lines(items, "opt_out_alert", "opt_out_safe_day", "renews") == [
        ("2026-09-11", "6_months", None, "note"),
        ("2026-11-11", "4_months", None, "note"),
        ("2026-11-26", "3_5_months", None, "note"),
        ("2026-12-11", None, None, "note"),
        ("2027-03-12", None, None, "note"),
    ]


def test_a_prevented_renewal_is_announced_no_more(conventions: dict[str, Convention]) -> None:
    """Once a party denounced in time, no alert is left, and the end brings the purge."""
    denounced = {"e": "denounced", "by": "unml", "received_on": "2026-10-01"}
    items = planned(known(conventions[CSP], denounced), "2026-10-02", "2027-05-31", "2026-10-02T06:00:00+02:00")
    assert lines(items, "opt_out_alert", "opt_out_safe_day", "renews") == []
    ends = [(one.day.isoformat(), one.kind, one.state, one.reason) for one in items if one.kind in ("ends", "purge", "purge_target", "destruction")]  # fmt: skip
    assert ends == [
        ("2027-03-11", "ends", "note", None),
        ("2027-05-11", "destruction", "due", None),
        ("2027-05-11", "purge", "due", "deadline_reached"),
        ("2027-05-11", "purge_target", "note", None),
    ]


def test_an_exchange_is_due_at_the_close_of_its_period_and_done_once_delivered(
    conventions: dict[str, Convention],
) -> None:
    """A monthly exchange is due on the last day of each month, late after it, done by a delivery for that month."""
    sent = Delivery("recruitment-needs", "2025-02", at("2025-03-03T09:00:00+01:00"))
    what = known(conventions[GEIQ], deliveries=(sent,))
    items = planned(what, "2025-01-01", "2025-04-30", "2025-04-10T06:00:00+02:00")
    exchanges = [one for one in items if one.subject == "recruitment-needs" and one.kind == "exchange"]
    assert lines(exchanges, "exchange") == [
        ("2025-01-31", "recruitment-needs", "2025-01", "late"),
        ("2025-02-28", "recruitment-needs", "2025-02", "done"),
        ("2025-03-31", "recruitment-needs", "2025-03", "late"),
        ("2025-04-30", "recruitment-needs", "2025-04", "due"),
    ]
    assert [one.gate is not None and one.gate.at.date().isoformat() for one in exchanges] == [
        "2025-04-10", False, "2025-04-10", "2025-04-30",
    ]  # fmt: skip


def test_a_backfill_goes_through_the_gate_of_its_own_day(conventions: dict[str, Convention]) -> None:
    """What was missed while the convention was in force is refused once it has ended."""
    items = planned(known(conventions[GEIQ]), "2025-09-01", "2025-10-31", "2025-12-01T06:00:00+01:00")
    late = [one for one in items if one.kind == "exchange" and one.state == "late"]
    assert len(late) == 3
    reasons = {one.subject: one.gate.reason for one in late if one.gate}
    assert reasons == {"annual-review": "not_in_force", "recruitment-needs": "out_of_force_at_delivery"}


def test_a_report_after_the_end_is_announced_as_refused(conventions: dict[str, Convention]) -> None:
    """The last monthly report would be due on the fifth working day after the end: the plan says that the gate refuses it."""
    items = planned(known(conventions[PACA], SIGNED), "2019-12-15", "2020-01-31", "2019-12-15T06:00:00+01:00")
    (report,) = [one for one in items if one.subject == "brea-monthly-report" and one.kind == "exchange"]
    assert (report.day.isoformat(), report.period, report.gate and report.gate.reason) == (
        "2020-01-08", "2019-12", "out_of_force_at_delivery",
    )  # fmt: skip
    assert f"holidays {version('holidays')}" in report.answer.arithmetic.en
    assert report.as_json()["holidays"] == f"holidays {version('holidays')}"


def test_an_answer_is_due_five_working_days_after_each_announcement(conventions: dict[str, Convention]) -> None:
    """Each vacancy starts its own clock in the Geneva calendar, with a reminder on the working day before."""
    second = {"e": "vacancy_email_received", "on": "2025-04-28", "vacancy": "v2"}
    what = known(conventions[OCE], SIGNED_OCE, VACANCY, second)
    items = planned(what, "2025-04-17", "2025-05-31", "2025-04-17T12:00:00+02:00")
    profiles = [one for one in items if one.subject == "candidate-profiles"]
    assert lines(profiles, "exchange", "reminder") == [
        ("2025-04-25", "candidate-profiles", "exchange.vacancy_email_received-1", "note"),
        ("2025-04-28", "candidate-profiles", "vacancy_email_received-1", "due"),
        ("2025-05-02", "candidate-profiles", "exchange.vacancy_email_received-2", "note"),
        ("2025-05-05", "candidate-profiles", "vacancy_email_received-2", "due"),
    ]
    assert "CH-GE" in profiles[0].answer.arithmetic.en
    opens = lines(items, "opens")
    assert opens == [
        ("2025-05-06", "follow-up-form", "vacancy_email_received-1", "note"),
        ("2025-05-13", "follow-up-form", "vacancy_email_received-2", "note"),
    ]


def test_forty_eight_hours_elapse_across_a_change_of_the_clocks(conventions: dict[str, Convention]) -> None:
    """A delay in hours is due at an instant, an hour later on the clock in spring, and late after it."""
    what = known(conventions[PACA], SIGNED, OFFER)
    for now, state in (("2017-03-27T10:59:00+02:00", "due"), ("2017-03-27T11:01:00+02:00", "late")):
        items = planned(what, "2017-03-25", "2017-03-28", now)
        (first,) = [one for one in items if one.subject == "brea-first-contact"]
        assert first.instant == at("2017-03-27T11:00:00+02:00")
        assert (first.kind, first.state) == ("service_level", state)
    told = {"e": "obligation_done", "id": "brea-first-contact", "on": "2017-03-26"}
    done = planned(known(conventions[PACA], SIGNED, OFFER, told), "2017-03-25", "2017-03-28", "2017-03-28T09:00:00+02:00")  # fmt: skip
    assert [one.state for one in done if one.subject == "brea-first-contact"] == ["done"]


def test_the_delays_of_the_gdpr_are_planned(conventions: dict[str, Convention]) -> None:
    """A request of a person is due in a month, a breach in 72 elapsed hours, until something shows that it was done."""
    asked = {"e": "rights_request", "received_on": "2025-01-28", "id": "r-1"}
    breach = {"e": "breach_known", "at": "2025-02-01T10:00:00+01:00"}
    items = planned(known(conventions[CSP], asked, breach), "2025-02-01", "2025-02-28", "2025-02-10T06:00:00+01:00")
    assert lines(items, "rights") == [
        ("2025-02-04", None, "breach_known-1", "late"),
        ("2025-02-28", None, "rights_request-1", "due"),
    ]
    answered = {"e": "obligation_done", "id": "r-1", "on": "2025-02-09"}
    items = planned(known(conventions[CSP], asked, answered), "2025-02-01", "2025-02-28", "2025-02-10T06:00:00+01:00")
    assert lines(items, "rights", "reminder")[-1][-1] == "done"


@pytest.mark.parametrize(
    ("told", "reason", "state"),
    [
        ((), "deadline_reached", "due"),
        (({"e": "litigation_opened", "on": "2020-01-15", "scope": ["studies"]},), "deadline_reached", "due"),
    ],
)
def test_the_purge_is_planned_on_its_working_day(
    conventions: dict[str, Convention], told: tuple[dict[str, object], ...], reason: str, state: str
) -> None:
    """Two months after the end, on the last working day before, unless something holds all the data."""
    items = planned(known(conventions[PACA], SIGNED, *told), "2020-01-01", "2020-03-31", "2020-01-20T06:00:00+01:00")
    assert [(one.day.isoformat(), one.state, one.reason) for one in items if one.kind == "purge"] == [
        ("2020-02-28", state, reason)
    ]


def test_a_held_or_disputed_purge_is_not_planned_as_allowed(conventions: dict[str, Convention]) -> None:
    """A hold on everything leaves no date; a disputed end leaves a date on which the purge needs a human decision."""
    held = {"e": "hold_placed", "on": "2020-01-15"}
    items = planned(known(conventions[PACA], SIGNED, held), "2020-01-16", "2020-03-31", "2020-01-20T06:00:00+01:00")
    assert [one for one in items if one.kind in ("purge", "purge_target", "destruction")] == []
    disputed = {"e": "denounced", "by": "unml", "received_on": "2026-12-12", "sent_on": "2026-12-10"}
    items = planned(known(conventions[CSP], disputed), "2027-05-01", "2027-05-31", "2027-04-01T06:00:00+02:00")
    assert [(one.state, one.reason) for one in items if one.kind == "purge"] == [
        ("note", "term_disputed_needs_human_decision")
    ]


def test_an_unsigned_text_plans_what_the_gate_would_refuse(conventions: dict[str, Convention]) -> None:
    """Without a signature on record, scheduled exchanges are shown as refused; a blank template plans nothing."""
    items = planned(known(conventions[PACA]), "2017-03-01", "2017-03-31", "2017-03-01T06:00:00+01:00")
    reasons = {one.gate.reason for one in items if one.kind == "exchange" and one.gate}
    assert reasons == {"start_undetermined"}
    assert planned(known(conventions[OCE]), "2017-01-01", "2017-12-31", "2017-03-01T06:00:00+01:00") == []


def test_the_standing_answers_tell_the_day_on_which_they_change(conventions: dict[str, Convention]) -> None:
    """For each exchange, the spans of days on which the gate gives one answer."""
    spans = standing(known(conventions[GEIQ]), date(2025, 11, 1), date(2025, 11, 30), at("2025-11-01T06:00:00+01:00"))
    needs = [one.as_json() for one in spans if one.exchange == "recruitment-needs"]
    assert [(one["from"], one["to"], one["decision"], one["reason"]) for one in needs] == [
        ("2025-11-01", "2025-11-06", "allow", None),
        ("2025-11-07", "2025-11-30", "block", "not_in_force"),
    ]
    assert {one.exchange for one in spans} == {one.id for one in conventions[GEIQ].exchanges}


HISTORIES = {
    CSP: ({"e": "denounced", "by": "unml", "received_on": "2026-10-01"},),
    PACA: (SIGNED, OFFER, {"e": "meeting_held", "id": "copil", "on": "2017-05-02"}),
    FACE: (),
    GEIQ: ({"e": "renewal_decided", "on": "2025-10-20", "based_on": "annual-review"},),
    OCE: (SIGNED_OCE, VACANCY),
}
DAYS = st.dates(date(2014, 1, 1), date(2030, 12, 31))


@given(st.sampled_from(sorted(HISTORIES)), DAYS, st.tuples(st.integers(0, 90), st.integers(0, 90)), DAYS)
def test_days_planned_apart_are_the_days_planned_together(
    conventions: dict[str, Convention], name: str, start: date, lengths: tuple[int, int], now: date
) -> None:
    """A plan cut in two at any day is the same plan, each thing once: what a missed day would have told is told by the next."""
    what = known(conventions[name], *HISTORIES[name])
    instant = datetime(now.year, now.month, now.day, 6, tzinfo=UTC)
    middle, end = start + timedelta(days=lengths[0]), start + timedelta(days=sum(lengths) + 1)
    apart = plan(what, start, middle, instant) + plan(what, middle + timedelta(days=1), end, instant)
    together = plan(what, start, end, instant)
    assert [one.key for one in apart] == [one.key for one in together]
    assert len({one.key for one in together}) == len(together)
    assert plan(what, start, end, instant) == together
    for one in together:
        assert start <= one.day <= end
        assert one.title.fr and one.title.en and one.answer.arithmetic.fr and one.answer.arithmetic.en  # noqa: PT018 - both languages
        assert one.kind != "exchange" or one.state == "done" or one.gate is not None


LATER = (
    Event("denounced", {"by": "unml", "received_on": "2025-01-01"}),
    Event("termination_letter", {"by": "mtfp", "form": "registered_letter_ar", "received_on": "2024-04-01"}),
    Event("meeting_held", {"id": "clep", "on": "2024-06-01"}),
    Event("signed", {"on": "2016-03-31"}),
    Event("offer_received", {"at": "2017-03-25T10:00:00+01:00"}),
)


@given(st.sampled_from(sorted(HISTORIES)), DAYS, st.sets(st.sampled_from(range(len(LATER)))))
def test_an_event_recorded_later_changes_no_plan(
    conventions: dict[str, Convention], name: str, start: date, chosen: set[int]
) -> None:
    """A plan rests on what was on record at its instant (D20)."""
    instant = datetime(start.year, start.month, start.day, 6, tzinfo=UTC)
    later = tuple(replace(LATER[index], recorded_at=instant + timedelta(seconds=1)) for index in sorted(chosen))
    what = known(conventions[name], *HISTORIES[name])
    more = Known(what.convention, (*what.events, *later))
    end = start + timedelta(days=60)
    assert plan(more, start, end, instant) == plan(what, start, end, instant)
