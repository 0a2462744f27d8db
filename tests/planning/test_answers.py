"""The gate is asked once for each stretch of days: every day's answer is the one that the gate gives that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.convention import Convention, Request, decide
from passerelle.planning import Answers
from tests.planning.conftest import CSP, GEIQ, OCE, PACA, SIGNED, SIGNED_OCE, known

DAYS = st.dates(date(2015, 6, 1), date(2030, 12, 31))
TEXTS = DAYS.map(date.isoformat)
INSTANTS = st.tuples(DAYS, st.integers(0, 23)).map(lambda one: f"{one[0].isoformat()}T{one[1]:02d}:30:00+01:00")
EVENTS = st.one_of(
    st.builds(lambda on, until: {"e": "suspended", "on": on, "until": until}, TEXTS, TEXTS),
    st.builds(lambda on: {"e": "resumed", "on": on}, TEXTS),
    st.builds(lambda on, to: {"e": "instrument_recorded", "id": "personal-data-agreement", "from": on, "to": to}, TEXTS, TEXTS),
    st.builds(lambda on: {"e": "instrument_recorded", "id": "offers-data-exchange-convention", "on": on}, TEXTS),
    st.builds(lambda on: {"e": "precondition_recorded", "id": "processing-record", "on": on}, TEXTS),
    st.builds(lambda on: {"e": "contingency_met", "exchange": "brea-phone", "on": on}, TEXTS),
    st.builds(lambda on: {"e": "litigation_opened", "on": on, "scope": ["recruitment-needs", "studies"]}, TEXTS),
    st.builds(lambda on: {"e": "litigation_closed", "on": on}, TEXTS),
    st.builds(lambda on: {"e": "breach_notice", "by": "pole-emploi", "received_on": on}, TEXTS),
    st.builds(lambda at: {"e": "breach_notice", "by": "pole-emploi", "received_at": at}, INSTANTS),
    st.builds(lambda on: {"e": "termination_letter", "received_on": on, "sent_on": on}, TEXTS),
    st.builds(lambda on: {"e": "denounced", "by": "unml", "received_on": on}, TEXTS),
    st.builds(lambda at: {"e": "denounced", "by": "employer", "received_at": at}, INSTANTS),
    st.builds(lambda on: {"e": "end_recorded", "on": on, "by": "dpo"}, TEXTS),
    st.builds(lambda on: {"e": "renewal_decided", "on": on, "based_on": "annual-review"}, TEXTS),
    st.builds(lambda at: {"e": "vacancy_email_received", "at": at}, INSTANTS),
    st.builds(lambda on: {"e": "processor_declared", "name": "host", "guarantees": "recorded", "on": on}, TEXTS),
    st.builds(lambda on: {"e": "amendment_signed", "on": on, "sets": {"term.end_on": "2027-06-30"}}, TEXTS),
    st.builds(lambda on: {"e": "approved", "on": on, "body": "Commission Permanente"}, TEXTS),
)  # fmt: skip
BEGUN: dict[str, tuple[dict[str, Any], ...]] = {CSP: (), PACA: (SIGNED,), GEIQ: (), OCE: (SIGNED_OCE,)}


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(BEGUN)),
    st.lists(EVENTS, max_size=4),
    st.tuples(DAYS, st.integers(0, 23)),
    st.sampled_from([None, "2019", "2025-11", "2027-Q1"]),
)
def test_every_day_has_the_answer_of_the_gate(
    conventions: dict[str, Convention],
    name: str,
    rows: list[dict[str, Any]],
    when: tuple[date, int],
    period: str | None,
) -> None:
    """On any history, at any instant, each exchange's answer for each of 120 days is the gate's own at 6:00 of that day."""
    what = known(conventions[name], *BEGUN[name], *rows)
    today, hour = when
    now = datetime(today.year, today.month, today.day, hour, 15, tzinfo=UTC)
    answers = Answers(what, now)
    for exchange in what.convention.exchanges:
        for offset in range(-3, 120):
            day = today + timedelta(days=offset)
            at = max(now, datetime(day.year, day.month, day.day, 6, tzinfo=what.convention.zone))
            asked = decide(what.convention, what.events, Request(exchange.id, at, period=period))
            said = answers.on(exchange.id, day, period)
            assert (said.outcome, said.reason, said.warning) == (asked.outcome, asked.reason, asked.warning), day
