"""Working days, elapsed hours, cadences, alerts, exposures, and what a reader is shown."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.convention import Convention, Event, answer, calendar_entries, show
from passerelle.convention.dates import FRANCE, calendar_of
from passerelle.convention.questions import names
from passerelle.errors import UsageError
from tests.convention.conftest import Made, at, history

SIGNED = {"e": "signed", "on": "2016-03-31"}
CSP, PACA, GEIQ, OCE = "csp-ft-2024", "paca-pe-2016", "geiq-amilaura-2024", "oce-ge-charter"


@pytest.mark.parametrize(
    ("name", "events", "args", "expected"),
    [
        (PACA, [{"e": "offer_received", "at": "2017-10-28T10:00:00+02:00"}], {"service_level": "brea-first-contact"}, {"instant": "2017-10-30T09:00:00+01:00"}),
        (PACA, [{"e": "offer_received", "at": "2017-04-05T09:30:00+02:00"}, {"e": "extension_announced", "service_level": "brea-solution", "until": "2017-04-25"}], {"service_level": "brea-solution"}, {"date": "2017-04-25"}),
        (PACA, [{"e": "need_of_training", "on": "2016-12-31"}], {"service_level": "aif-reasonable-delay"}, {"date": "2017-02-28"}),
        (PACA, [{"e": "study_finalised_or_published", "on": "2017-04-14"}], {"exchange": "studies"}, {"date": "2017-04-18"}),
        (PACA, [], {"exchange": "studies"}, None),
        (PACA, [], {"obligation": "copil", "quarter": "2017-Q2"}, {"date": "2017-06-30"}),
        (PACA, [], {"obligation": "annual-report", "year": 2017}, {"date": "2017-12-31"}),
        (PACA, [], {"obligation": "purchase-authorisation-end"}, {"date": "2017-06-30"}),
        (PACA, [], {"exchange": "unfilled-offers-analysis", "period": "2017"}, {"date": "2017-12-31"}),
        (PACA, [], {"instrument": "amendment-mobility"}, None),
        (CSP, [{"e": "anomaly_detected", "at": "2025-03-29T12:00:00+01:00"}], {"exchange": "incident-notice"}, {"instant": "2025-03-30T13:00:00+02:00"}),
        (CSP, [], {"obligation": "annual-steering-meeting", "n": 1}, {"date": "2025-03-11"}),
        (CSP, [], {"obligation": "annual-steering-meeting", "year": 2026}, {"date": "2026-03-11"}),
        (GEIQ, [], {"obligation": "semester-review", "n": 2}, {"date": "2025-11-06"}),
        (GEIQ, [], {"exchange": "annual-review", "term": 2}, None),
    ],
)  # fmt: skip
def test_due(
    conventions: dict[str, Convention], name: str, events: list[dict[str, Any]], args: dict[str, Any], expected: Any
) -> None:
    """A thing is due where the text or the hub's default puts it, and has no date while nothing starts its delay."""
    assert answer(conventions[name], history(SIGNED, *events), "due", None, args) == expected


def test_an_arrangement_holds_only_for_its_vacancy_and_by_all(conventions: dict[str, Convention]) -> None:
    """Another delay than the text's needs the agreement of both parties, and serves the vacancy it names."""
    mail = {"e": "vacancy_email_received", "at": "2025-09-08T09:00:00+02:00"}
    agreed = {"e": "special_arrangement", "vacancy": "v1", "within_working_days": 10, "agreed_by": ["employer", "oce"]}
    ask = {"exchange": "candidate-profiles", "vacancy": "v2"}
    assert answer(conventions[OCE], history(mail, agreed), "due", None, ask) == {"date": "2025-09-16"}
    alone = {**agreed, "agreed_by": ["employer"]}
    assert answer(conventions[OCE], history(mail, alone), "due", None, {**ask, "vacancy": "v1"}) == {
        "date": "2025-09-16"
    }


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"e": "rights_request", "received_on": "2025-01-31", "extended": True}], {"date": "2025-04-30"}),
        ([{"e": "breach_known", "at": "2025-03-28T15:00:00+01:00"}], {"instant": "2025-03-31T16:00:00+02:00"}),
    ],
)
def test_the_delays_of_the_gdpr(events: list[dict[str, Any]], expected: dict[str, str]) -> None:
    """A request may be extended by two months; a breach is notified within 72 elapsed hours (D19)."""
    assert answer(None, history(*events), "due", None, {}) == expected


@pytest.mark.parametrize(
    ("question", "args", "expected"),
    [
        ("add_months", {"from": "2023-12-31", "months": 2}, {"date": "2024-02-29"}),
        ("add_months", {"from": "2024-02-29", "years": 1, "days": 1}, {"date": "2025-03-01"}),
        ("last_day_in_force", {"start": "2024-03-12", "years": 3}, "2027-03-11"),
        ("destruction_deadline", {"ended_on": "2023-12-29"}, "2024-02-29"),
        ("internal_purge_target", {"ended_on": "2019-12-31"}, "2020-02-28"),
        (
            "optout_window",
            {"end": "2025-03-31", "notice_months": 1},
            {"safe": "2025-02-28", "last_valid": "2025-02-28"},
        ),
        ("optout_deadline", {"start": "2023-03-01", "years": 2, "notice_months": 3}, "2024-11-28"),
    ],
)
def test_bare_dates(question: str, args: dict[str, Any], expected: Any) -> None:
    """Plain calendar questions need no convention."""
    assert answer(None, (), question, None, args) == expected


def test_a_denunciation_between_the_two_counts_is_disputed_on_bare_dates() -> None:
    """An end on 28 February with three months: safe to 28 November, disputed to the 30th, late from 1 December (D7)."""
    args = {"start": "2023-03-01", "years": 2, "notice_months": 3}
    told = {
        day: answer(None, history({"e": "denounced", "received_on": f"2024-{day}"}), "optout_timely", None, args)
        for day in ("11-28", "11-29", "11-30", "12-01")
    }
    assert list(told.values()) == ["timely", "disputed", "disputed", "late"]
    assert answer(None, (), "optout_timely", None, args) is None


def test_nothing_runs_with_a_clock_set_back() -> None:
    """With no text at all, a clock behind the last act on record still blocks (D1)."""
    acts = history({"e": "audit", "at": "2025-06-02T09:00:00+02:00"})
    before, after = at("2025-06-01T09:00:00+02:00"), at("2025-06-02T09:00:00+02:00")
    assert answer(None, acts, "can_run", before, {}) == {"decision": "block", "reason": "clock_behind_last_event"}
    assert answer(None, acts, "can_run", after, {}) == {"decision": "allow"}


def test_geneva_has_the_nine_days_of_its_act(conventions: dict[str, Convention]) -> None:
    """In 2025 the calendar of the charter closes on the nine days of the cantonal act, and 1 May is a working day."""
    calendar = calendar_of(conventions[OCE])
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    closed = [day for day in days if day.weekday() < 5 and not calendar.is_open(day)]
    assert closed == [
        date(2025, *day) for day in [(1, 1), (4, 18), (4, 21), (5, 29), (6, 9), (8, 1), (9, 11), (12, 25), (12, 31)]
    ]


@given(st.dates(date(2014, 1, 1), date(2035, 12, 31)), st.integers(1, 30))
def test_working_days_count_forward(day: date, number: int) -> None:
    """The n-th working day is open, later than the day before it, and nothing open lies between (D12)."""
    found = FRANCE.add(day, number)
    assert FRANCE.is_open(found)
    between = [day + timedelta(days=n) for n in range(1, (found - day).days + 1)]
    assert sum(map(FRANCE.is_open, between)) == number
    assert FRANCE.on_or_before(found) == found


@pytest.mark.parametrize(
    "case",
    [
        (PACA, [SIGNED], "2017-06-30T23:00:00+02:00", {"obligation": "copil", "quarter": "2017-Q2"}, []),
        (PACA, [SIGNED], "2017-07-01T08:00:00+02:00", {"obligation": "copil"}, ["copil:2017-Q2:missing"]),
        (PACA, [SIGNED, {"e": "meeting_held", "id": "copil", "on": "2017-06-30"}], "2017-07-01T08:00:00+02:00", {"obligation": "copil"}, []),
        (PACA, [SIGNED, {"e": "meeting_held", "id": "cotech", "on": "2017-05-11"}, {"e": "minutes_sent", "id": "cotech", "on": "2017-05-20"}], "2017-06-01T08:00:00+02:00", {"obligation": "cotech", "month": "2017-05"}, []),
        (PACA, [SIGNED], "2021-07-01T08:00:00+02:00", {"obligation": "copil"}, []),
        (PACA, [SIGNED], "2016-07-01T08:00:00+02:00", {"instrument": "annex-vae"}, ["annex-vae:2016:overdue"]),
        (PACA, [SIGNED, {"e": "instrument_recorded", "id": "annex-vae"}], "2016-07-01T08:00:00+02:00", {"instrument": "annex-vae"}, []),
        (PACA, [SIGNED], "2017-01-01T08:00:00+01:00", {"obligation": "purchase-modalities"}, ["purchase-modalities:2016:overdue"]),
        (CSP, [], "2026-01-01T08:00:00+01:00", {"obligation": "clep"}, ["clep:2025:0_of_2"]),
        (GEIQ, [], "2025-10-06T23:00:00+02:00", {"obligation": "annual-review"}, []),
        (GEIQ, [{"e": "meeting_held", "id": "annual-review", "on": "2025-10-01"}], "2025-10-07T08:00:00+02:00", {"obligation": "annual-review"}, []),
        (GEIQ, [], "2025-05-07T08:00:00+02:00", {"obligation": "semester-review", "n": 1}, ["semester-review:1:missing"]),
        (CSP, [], "2026-09-10T08:00:00+02:00", {"obligation": "opt-out"}, []),
        (CSP, [], "2026-09-11T08:00:00+02:00", {"obligation": "opt-out"}, ["opt-out:2026-12-11:6_months"]),
        (CSP, [], "2026-11-26T08:00:00+01:00", {"obligation": "opt-out"}, ["opt-out:2026-12-11:3_5_months"]),
        (CSP, [], "2026-12-12T08:00:00+01:00", {"obligation": "opt-out"}, []),
        (CSP, [{"e": "termination_letter", "form": "email", "received_on": "2025-04-15"}], "2025-05-01T08:00:00+02:00", {"obligation": "termination"}, ["letter:wrong_form"]),
        (CSP, [{"e": "termination_letter", "form": "registered_letter_ar", "sent_on": "2025-04-15"}], "2025-05-01T08:00:00+02:00", {"obligation": "termination"}, ["letter:pending_receipt"]),
        (OCE, [{"e": "denounced", "by": "oce", "received_on": "2025-05-12"}], "2025-05-13T08:00:00+02:00", {"obligation": "reasons"}, []),
        (OCE, [{"e": "denounced", "by": "employer", "received_on": "2025-05-12"}, {"e": "reasons_given", "on": "2025-05-20"}], "2025-05-21T08:00:00+02:00", {"obligation": "reasons"}, []),
    ],
)  # fmt: skip
def test_alerts(
    conventions: dict[str, Convention], case: tuple[str, list[dict[str, Any]], str, dict[str, Any], list[str]]
) -> None:
    """An alert is raised once its period has closed or its day has passed, and goes with the evidence (D14)."""
    name, events, instant, args, expected = case
    assert answer(conventions[name], history(*events), "alerts", at(instant), args) == expected


def test_all_alerts_of_a_day(conventions: dict[str, Convention]) -> None:
    """Without a name, every obligation, dated document and opt-out is looked at."""
    told = answer(conventions[CSP], (), "alerts", at("2026-11-15T08:00:00+01:00"), {})
    assert told == [
        "opt-out:2026-12-11:4_months",
        "annual-steering-meeting:2026:missing",
        "annual-results-review:2026:missing",
        "clep:2025:0_of_2",
    ]


def test_an_exposure_needs_a_delivery_that_the_record_now_forbids(conventions: dict[str, Convention]) -> None:
    """A late breach letter exposes what left after its receipt, not what left before it (D20)."""
    breach = {"e": "breach_notice", "by": "pole-emploi", "received_at": "2018-05-14T11:20:00+02:00", "recorded_at": "2018-05-15T09:00:00+02:00"}  # fmt: skip
    sent = [{"e": "delivered", "at": f"2018-05-14T{hour}:00:00+02:00", "exchange": "studies"} for hour in (10, 12, 18)]
    events = history(SIGNED, breach, *sent)
    ask = answer(conventions[PACA], events, "retrospective_exposure", at("2018-05-15T09:05:00+02:00"), {})
    assert ask == ["delivery of 2018-05-14T12:00", "delivery of 2018-05-14T18:00"]
    assert answer(conventions[PACA], events, "retrospective_exposure", at("2018-05-14T20:00:00+02:00"), {}) == []


def test_a_withdrawn_ground_exposes_too(conventions: dict[str, Convention]) -> None:
    """A suspension recorded late exposes the deliveries made meanwhile."""
    events = history(
        {"e": "suspended", "on": "2025-05-01", "recorded_at": "2025-06-01T00:00:00+02:00"},
        {"e": "delivered", "at": "2025-05-10T10:00:00+02:00", "exchange": "communication-material"},
        {"e": "delivered", "at": "2025-04-10T10:00:00+02:00", "exchange": "communication-material"},
    )
    told = answer(conventions[CSP], events, "retrospective_exposure", at("2025-06-02T00:00:00Z"), {})
    assert told == ["delivery of 2025-05-10T10:00"]


def test_the_calendar_of_a_convention(conventions: dict[str, Convention]) -> None:
    """The calendar has the start, the reminders, the safe day, the renewal, and after an end its two months."""
    entries = calendar_entries(conventions[CSP], (), date(2024, 1, 1), date(2027, 3, 31))
    kinds = {(entry["date"], entry["kind"]) for entry in entries}
    assert {("2024-03-12", "starts"), ("2026-12-11", "opt_out_safe_day"), ("2027-03-12", "renews")} <= kinds
    assert [day for day, kind in sorted(kinds) if kind == "opt_out_reminder"] == [
        "2026-09-11",
        "2026-11-11",
        "2026-11-26",
    ]
    ended = calendar_entries(conventions[PACA], history(SIGNED), date(2019, 12, 1), date(2020, 12, 31))
    assert [(entry["date"], entry["kind"]) for entry in ended if entry["kind"] != "due"] == [
        ("2019-12-31", "ends"), ("2020-02-28", "purge_target"), ("2020-02-29", "destruction"),
    ]  # fmt: skip
    assert all(entry["title"]["fr"] and entry["arithmetic"]["en"] for entry in [*entries, *ended])
    review = calendar_entries(conventions[GEIQ], (), date(2025, 10, 6), date(2025, 10, 6))
    assert [(entry["kind"], entry["subject"]) for entry in review] == [("due", "annual-review")]


def test_what_a_reader_is_shown(conventions: dict[str, Convention]) -> None:
    """Each derived date comes with basis, article and arithmetic, and each exchange with the gate's answer."""
    told = show(conventions[CSP], (), at("2025-06-02T08:00:00+02:00"))
    assert told["status"] == "yes"
    assert told["dates"]["last_day_in_force"]["value"] == "2027-03-11"
    assert (
        told["dates"]["last_day_in_force"]["arithmetic"]["fr"]
        == "12 mars 2024 + 3 ans, dernier jour : 11 mars 2027 à 24 h"
    )
    answers = {exchange["id"]: exchange["reason"] for exchange in told["exchanges"]}
    assert answers["candidate-pools"] == "missing_instrument:candidate-pool-agreement"
    assert answers["communication-material"] is None
    assert {party["id"]: party["dpo"] for party in told["parties"]}["mtss"] == "not_stated"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=12) | st.sampled_from(["2025-06-02", "2016-03-31", "2025-06-02T10:00:00+02:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "on",
        "at",
        "by",
        "id",
        "from",
        "to",
        "scope",
        "dataset",
        "exchange",
        "received_on",
        "sent_on",
        "effect_date",
        "until",
        "sets",
        "agreed_by",
        "within_working_days",
        "vacancy",
        "guarantees",
        "name",
        "body",
        "term",
        "reading",
        "obligation",
        "period",
        "n",
        "year",
        "quarter",
        "service_level",
        "instrument",
        "party",
        "via",
        "profiles",
        "max_profiles",
        "consent",
        "stage",
        "based_on",
        "recorded_at",
        "text",
        "months",
        "start",
    ]
)
TYPES = st.sampled_from(
    [
        "signed",
        "denounced",
        "termination_letter",
        "breach_notice",
        "amendment_signed",
        "approved",
        "renewal_decided",
        "litigation_opened",
        "litigation_closed",
        "legal_obligation_recorded",
        "suspended",
        "resumed",
        "special_arrangement",
        "vacancy_email_received",
        "delivered",
        "processor_declared",
        "express_request",
        "offer_received",
        "declared_unnecessary",
        "meeting_held",
        "end_recorded",
        "rights_request",
    ]
)


@given(
    st.tuples(
        st.sampled_from([CSP, PACA, GEIQ, OCE, "face-pe-2014", "any"]), st.sampled_from([*names(), "no_such_question"])
    ),
    st.lists(st.tuples(TYPES, st.dictionaries(KEYS, JSON, max_size=4)), max_size=4),
    st.dictionaries(KEYS, JSON, max_size=3),
    st.none() | st.datetimes().map(lambda instant: instant.isoformat() + "+00:00"),
)
def test_whatever_is_asked_only_our_error_is_raised(
    conventions: dict[str, Convention],
    asked: tuple[str, str],
    rows: list[tuple[str, dict[str, Any]]],
    args: dict[str, Any],
    instant: str | None,
) -> None:
    """Events and arguments from outside give a JSON answer or a usage error, never a foreign one."""
    name, question = asked
    try:
        events = [Event.from_json({**payload, "e": kind}) for kind, payload in rows]
        given_ = answer(conventions.get(name), events, question, at(instant) if instant else None, args)
    except UsageError:
        return
    assert json.loads(json.dumps(given_)) == given_


def test_the_calendar_tells_the_safe_day_from_the_last_valid_one(
    altered: Made, conventions: dict[str, Convention]
) -> None:
    """At the end of a month the calendar has the last safe day and, disputed, the last valid one; else only one day (D7)."""
    months_end = altered(CSP, ("signed_on: 2024-03-12", "signed_on: 2024-03-01"))
    told = {}
    for convention in (months_end, conventions[CSP]):
        entries = calendar_entries(convention, (), date(2026, 11, 1), date(2026, 12, 31))
        told[convention.signature.signed_on] = [
            (entry["date"], entry["kind"]) for entry in entries if entry["kind"].endswith("_day")
        ]
    assert told == {
        date(2024, 3, 1): [("2026-11-28", "opt_out_safe_day"), ("2026-11-30", "opt_out_last_valid_day")],
        date(2024, 3, 12): [("2026-12-11", "opt_out_safe_day")],
    }
