"""The gate: each reason it gives, in the order in which it asks, and what it says beside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.convention import Convention, Event, Request, decide
from passerelle.convention.questions import decision_json, request_of
from tests.convention.conftest import at, history

NOON = "2025-06-02T12:00:00+02:00"
SIGNED = {"e": "signed", "on": "2016-03-31"}
POOL = (
    {"e": "instrument_recorded", "id": "candidate-pool-agreement", "from": "2025-05-01", "to": "2027-03-11"},
    {"e": "instrument_recorded", "id": "security-measures-agreement"},
    {"e": "precondition_recorded", "id": "sensitivity-assessment"},
    {"e": "precondition_recorded", "id": "processing-record", "exchange": "candidate-pools"},
)
OFFERS = {"e": "instrument_recorded", "id": "offers-data-exchange-convention", "on": "2025-01-01"}


def record(exchange: str) -> dict[str, Any]:
    return {"e": "precondition_recorded", "id": "processing-record", "exchange": exchange}


def block(reason: str) -> dict[str, str]:
    return {"decision": "block", "reason": reason}


ALLOW = {"decision": "allow"}
WARN = {"decision": "allow_with_warning", "warning": "term_not_stated"}
CSP, PACA, FACE, GEIQ, OCE = (
    "csp-ft-2024", "paca-pe-2016", "face-pe-2014", "geiq-amilaura-2024", "oce-ge-charter",
)  # fmt: skip
DENOUNCED = {"e": "denounced", "by": "unml", "received_on": "2026-12-12"}
VACANCY = {"e": "vacancy_email_received", "at": "2025-04-17T10:00:00+02:00"}
SIGNED_OCE = {"e": "signed", "on": "2025-02-03"}
MATERIAL = {"exchange": "communication-material"}

Case = tuple[str, list[dict[str, Any]], str, dict[str, Any], dict[str, str]]
CASES: list[Case] = [
    (CSP, [], "2024-03-11T12:00:00+01:00", MATERIAL, block("not_in_force")),
    (CSP, [], "2024-03-12T00:00:00+01:00", MATERIAL, ALLOW),
    (PACA, [SIGNED], "2020-01-02T09:00:00+01:00", {"exchange": "studies"}, block("not_in_force")),
    (PACA, [SIGNED], "2020-01-02T09:00:00+01:00", {"exchange": "studies", "period": "2020-01"}, block("not_in_force")),
    (PACA, [SIGNED], "2020-01-02T09:00:00+01:00", {"exchange": "studies", "period": "2019"}, block("out_of_force_at_delivery")),
    (PACA, [SIGNED], "2020-01-01T00:05:00+01:00", {"exchange": "studies", "started_at": "2019-12-31T23:55:00+01:00"}, block("out_of_force_at_delivery")),
    (PACA, [SIGNED], "2020-01-01T00:05:00+01:00", {"exchange": "studies", "stage": "delivery"}, block("out_of_force_at_delivery")),
    (CSP, [DENOUNCED], "2027-03-12T09:00:00+01:00", MATERIAL, block("term_disputed")),
    (PACA, [], "2017-01-16T09:00:00+01:00", {"exchange": "studies"}, block("start_undetermined")),
    (OCE, [], "2025-06-02T12:00:00+02:00", {"exchange": "vacancies"}, block("not_in_force")),
    (CSP, [], NOON, {**MATERIAL, "to": "somebody"}, block("unknown_party")),
    (CSP, [], NOON, {**MATERIAL, "from": "somebody"}, block("unknown_party")),
    (CSP, [], NOON, {**MATERIAL, "to": "mtss"}, block("not_an_exchange_of_this_convention")),
    (CSP, [], NOON, {"exchange": "security-policies", "from": "mtss", "to": ["unml", "cheops"]}, ALLOW),
    (FACE, [], NOON, {"exchange": "shared-studies", "to": "ministry-of-labour"}, block("not_an_exchange_of_this_convention")),
    (CSP, [], NOON, {"exchange": "payroll"}, block("not_an_exchange_of_this_convention")),
    (CSP, [], NOON, {"exchange": "candidate-pools"}, block("missing_instrument:candidate-pool-agreement")),
    (CSP, list(POOL[:1]), NOON, {"exchange": "candidate-pools"}, block("missing_instrument:security-measures-agreement")),
    (CSP, list(POOL[:2]), NOON, {"exchange": "candidate-pools"}, block("missing_precondition:sensitivity-assessment")),
    (CSP, list(POOL[:3]), NOON, {"exchange": "candidate-pools"}, block("missing_precondition:processing-record")),
    (CSP, list(POOL), NOON, {"exchange": "candidate-pools"}, ALLOW),
    (CSP, list(POOL), "2025-04-30T12:00:00+02:00", {"exchange": "candidate-pools"}, block("missing_instrument:candidate-pool-agreement")),
    (CSP, list(POOL), "2027-03-12T12:00:00+01:00", {"exchange": "candidate-pools"}, block("missing_instrument:candidate-pool-agreement")),
    (CSP, [*POOL[:3], record("public-job-offers")], NOON, {"exchange": "candidate-pools"}, block("missing_precondition:processing-record")),
    (CSP, [OFFERS], NOON, {"exchange": "public-job-offers"}, ALLOW),
    (FACE, [], NOON, {"exchange": "shared-studies"}, WARN),
    (FACE, [{"e": "instrument_recorded", "id": "full-convention-text"}, {"e": "instrument_recorded", "id": "territorial-agreements"}, record("video-cv")], NOON, {"exchange": "video-cv"}, block("term_not_stated")),
    (PACA, [SIGNED], "2016-03-31T09:00:00+02:00", {"exchange": "training-entries"}, block("missing_precondition:processing-record")),
    (PACA, [SIGNED, record("training-entries")], "2016-03-31T09:00:00+02:00", {"exchange": "training-entries"}, block("too_early")),
    (PACA, [SIGNED, record("training-entries")], "2016-04-01T00:00:00+02:00", {"exchange": "training-entries"}, ALLOW),
    (OCE, [SIGNED_OCE], "2025-05-06T09:00:00+02:00", {"exchange": "follow-up-form"}, block("too_early")),
    (OCE, [SIGNED_OCE, VACANCY], "2025-05-05T23:59:00+02:00", {"exchange": "follow-up-form"}, block("too_early")),
    (OCE, [SIGNED_OCE, VACANCY], "2025-05-06T00:00:00+02:00", {"exchange": "follow-up-form"}, ALLOW),
    (OCE, [SIGNED_OCE, record("candidate-profiles")], NOON, {"exchange": "candidate-profiles", "profiles": 6}, block("cardinality")),
    (OCE, [SIGNED_OCE, record("candidate-profiles")], NOON, {"exchange": "candidate-profiles", "profiles": 5}, ALLOW),
    (OCE, [SIGNED_OCE, record("candidate-profiles"), {"e": "express_request", "vacancy": "v1", "max_profiles": 8}], NOON, {"exchange": "candidate-profiles", "vacancy": "v1", "profiles": 8}, ALLOW),
    (OCE, [SIGNED_OCE, record("candidate-profiles"), {"e": "express_request", "vacancy": "v1", "max_profiles": 8}], NOON, {"exchange": "candidate-profiles", "vacancy": "v2", "profiles": 8}, block("cardinality")),
    (OCE, [SIGNED_OCE, record("candidate-profiles"), {"e": "express_request", "vacancy": "v1"}], NOON, {"exchange": "candidate-profiles", "vacancy": "v1", "profiles": 80}, ALLOW),
    (PACA, [SIGNED, record("spro-call-notice")], "2017-01-16T09:00:00Z", {"exchange": "spro-call-notice"}, block("consent_missing")),
    (PACA, [SIGNED, record("spro-call-notice")], "2017-01-16T09:00:00Z", {"exchange": "spro-call-notice", "consent": False}, block("consent_missing")),
    (PACA, [SIGNED, record("spro-call-notice")], "2017-01-16T09:00:00Z", {"exchange": "spro-call-notice", "consent": True}, ALLOW),
    (PACA, [SIGNED, record("spro-call-notice"), {"e": "consent_recorded", "exchange": "spro-call-notice"}], "2017-01-16T09:00:00Z", {"exchange": "spro-call-notice"}, ALLOW),
    (CSP, [], NOON, {**MATERIAL, "via": "host-1"}, block("processor_without_equivalent_guarantees")),
    (CSP, [{"e": "processor_declared", "name": "host-1", "guarantees": "recorded"}], NOON, {**MATERIAL, "via": "host-1"}, ALLOW),
    (CSP, [{"e": "processor_declared", "name": "host-1", "guarantees": "recorded"}, {"e": "processor_declared", "name": "host-1", "guarantees": "not_recorded"}], NOON, {**MATERIAL, "via": "host-1"}, block("processor_without_equivalent_guarantees")),
    (PACA, [SIGNED], "2017-01-16T09:00:00Z", {"exchange": "brea-phone"}, block("contingent")),
    (PACA, [SIGNED, {"e": "contingency_met", "exchange": "brea-phone", "on": "2017-01-16"}], "2017-01-16T09:00:00Z", {"exchange": "brea-phone"}, ALLOW),
    (PACA, [SIGNED, {"e": "contingency_met", "exchange": "brea-reverse"}], "2017-01-16T09:00:00Z", {"exchange": "brea-phone"}, block("contingent")),
    (CSP, [{"e": "suspended", "on": "2025-06-01"}], NOON, MATERIAL, block("suspended")),
    (CSP, [{"e": "suspended", "on": "2025-06-01", "exchange": "incident-notice"}], NOON, MATERIAL, ALLOW),
    (CSP, [{"e": "suspended", "on": "2025-06-01"}, {"e": "resumed", "on": "2025-06-02"}], NOON, MATERIAL, ALLOW),
    (CSP, [{"e": "suspended", "on": "2025-05-01", "until": "2025-06-01"}], NOON, MATERIAL, ALLOW),
    (CSP, [{"e": "litigation_opened", "on": "2025-06-01", "scope": ["communication-material"]}], NOON, MATERIAL, block("held")),
    (CSP, [{"e": "litigation_opened", "on": "2025-06-01", "scope": ["candidate-pools"]}], NOON, MATERIAL, ALLOW),
    (CSP, [{"e": "litigation_opened", "on": "2025-05-01", "scope": ["communication-material"]}, {"e": "litigation_closed", "on": "2025-06-02"}], NOON, MATERIAL, ALLOW),
    (CSP, [{"e": "delivered", "at": "2025-06-02T12:00:01+02:00"}], NOON, MATERIAL, block("clock_behind_last_event")),
    (CSP, [{"e": "delivered", "at": "2025-06-02T12:00:00+02:00"}], NOON, MATERIAL, ALLOW),
    (CSP, [], NOON, {**MATERIAL, "last_act": "2025-06-03T00:00:00Z"}, block("clock_behind_last_event")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_gate_answers(conventions: dict[str, Convention], case: Case) -> None:
    """One decision, one reason code."""
    name, events, instant, args, expected = case
    decision = decide(conventions[name], history(*events), request_of(at(instant), args))
    assert decision_json(decision) == expected


def test_every_reason_is_reached() -> None:
    """The cases above reach every reason that the gate can give."""
    reached = {expected["reason"].partition(":")[0] for *_, expected in CASES if "reason" in expected}
    assert reached == {
        "not_in_force", "out_of_force_at_delivery", "term_disputed", "start_undetermined", "term_not_stated",
        "unknown_party", "not_an_exchange_of_this_convention", "missing_instrument", "missing_precondition", "too_early",
        "cardinality", "consent_missing", "processor_without_equivalent_guarantees", "clock_behind_last_event", "held",
        "suspended", "contingent",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_decision_says_why(conventions: dict[str, Convention], case: Case) -> None:
    """Each decision carries the file's hash, the instant, a basis and its arithmetic in both languages."""
    name, events, instant, args, expected = case
    convention = conventions[name]
    told = decide(convention, history(*events), request_of(at(instant), args)).as_json()
    assert told["convention_sha256"] == convention.sha256
    assert told["at"].endswith("Z")
    assert told["basis"] in ("stated", "interpreted", "hub_policy")
    assert told["arithmetic"]["fr"] and told["arithmetic"]["en"]  # noqa: PT018 - one sentence in two languages
    assert told["who_decides"] or told["outcome"] != "block"
    assert (told["outcome"] == "block") == ("reason" in expected)


def test_a_pool_is_refused_with_its_article(conventions: dict[str, Convention]) -> None:
    """As the text stands, candidate pools are refused with the article that does not cover them."""
    decision = decide(conventions[CSP], (), Request("candidate-pools", at(NOON)))
    assert decision.reason == "missing_instrument:candidate-pool-agreement"
    assert decision.article == "art. 3 (commun), point 1, et art. 7 § 1"
    assert decision.who_decides == "signatories"


def test_personal_data_are_never_allowed_without_a_processing_record(conventions: dict[str, Convention]) -> None:
    """No exchange of personal data is allowed as the texts stand, in force or not (D16, D21)."""
    events = history({"e": "signed", "on": "2016-03-31"})
    for convention in conventions.values():
        for exchange in convention.exchanges:
            if exchange.data_class in ("personal", "special_category"):
                for year in range(2014, 2031):
                    request = Request(exchange.id, datetime(year, 6, 15, 12, tzinfo=UTC))
                    assert not decide(convention, events, request).allowed


LATE: list[tuple[str, dict[str, Any]]] = [
    ("denounced", {"by": "unml", "received_on": "2025-01-01"}),
    ("termination_letter", {"by": "mtfp", "form": "registered_letter_ar", "received_on": "2024-04-01"}),
    ("suspended", {"on": "2024-04-01"}),
    ("litigation_opened", {"on": "2024-04-01", "scope": ["communication-material"]}),
    ("end_recorded", {"on": "2024-05-01", "by": "dpo"}),
    ("delivered", {"at": "2030-01-01T00:00:00+00:00"}),
    ("instrument_recorded", {"id": "offers-data-exchange-convention"}),
]


@given(st.integers(0, 4000), st.integers(1, 10**9), st.sets(st.sampled_from(range(len(LATE)))))
def test_an_event_recorded_later_never_changes_a_decision(
    conventions: dict[str, Convention], hours: int, seconds: int, chosen: set[int]
) -> None:
    """A decision is judged on what was on record at its instant (D20)."""
    instant = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=12 * hours)
    late = instant + timedelta(seconds=seconds)
    events = [Event(LATE[index][0], LATE[index][1], late) for index in sorted(chosen)]
    for exchange in conventions[CSP].exchanges:
        request = Request(exchange.id, instant)
        assert decide(conventions[CSP], events, request) == decide(conventions[CSP], (), request)
