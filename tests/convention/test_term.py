"""When a convention starts, renews and ends."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.convention import Convention, Event, answer, in_force, last_day_in_force
from passerelle.convention.dates import add_months, last_day, parse_date
from passerelle.convention.term import life, window
from tests.convention.conftest import Made, at, history

DAYS = st.dates(date(1990, 1, 1), date(2080, 12, 31))
SIGNED = {"e": "signed", "on": "2016-03-31"}


def denounced(day: str, **more: Any) -> dict[str, Any]:
    return {"e": "denounced", "by": "unml", "received_on": day, **more}


def letter(**more: Any) -> dict[str, Any]:
    return {"e": "termination_letter", "by": "cheops", "form": "registered_letter_ar", **more}


@pytest.mark.parametrize(
    ("name", "events", "instant", "expected"),
    [
        ("csp-ft-2024", [], "2024-03-11T23:59:59+01:00", "no"),
        ("csp-ft-2024", [], "2024-03-12T00:00:00+01:00", "yes"),
        ("csp-ft-2024", [denounced("2026-12-11")], "2027-03-11T23:59:59+01:00", "yes"),
        ("csp-ft-2024", [denounced("2026-12-12")], "2027-03-11T23:59:59+01:00", "yes"),
        ("csp-ft-2024", [denounced("2026-12-12")], "2027-03-12T00:00:00+01:00", "disputed"),
        ("csp-ft-2024", [denounced("2026-12-12")], "2030-03-12T00:00:00+01:00", "no"),
        ("csp-ft-2024", [denounced("2026-12-13")], "2027-03-12T00:00:00+01:00", "yes"),
        ("csp-ft-2024", [denounced("2026-12-01", by="geiq")], "2027-03-12T00:00:00+01:00", "yes"),
        ("csp-ft-2024", [letter(received_on="2025-04-15")], "2025-06-15T00:00:00+02:00", "no"),
        ("csp-ft-2024", [letter(received_on="2025-04-15", by="nobody")], "2025-06-15T00:00:00+02:00", "yes"),
        ("csp-ft-2024", [letter(received_on="2025-04-15", form="email")], "2026-06-15T00:00:00+02:00", "yes"),
        ("paca-pe-2016", [], "2020-01-01T00:00:00+01:00", "no"),
        ("paca-pe-2016", [SIGNED], "2016-03-31T00:00:00+02:00", "yes"),
        ("paca-pe-2016", [SIGNED], "2019-12-31T23:59:59+01:00", "yes"),
        ("face-pe-2014", [], "2014-07-09T12:00:00+02:00", "no"),
        ("face-pe-2014", [], "2014-07-10T12:00:00+02:00", "undetermined"),
        ("face-pe-2014", [{"e": "end_recorded", "on": "2019-06-30", "by": "dpo"}], "2018-01-01T00:00:00Z", "yes"),
        ("face-pe-2014", [{"e": "end_recorded", "on": "2019-06-30", "by": "dpo"}], "2019-07-01T00:00:00Z", "no"),
        ("face-pe-2014", [{"e": "end_recorded", "on": "2019-06-30", "by": "x"}], "2019-07-01T00:00:00Z", "undetermined"),
        ("geiq-amilaura-2024", [], "2025-11-06T23:59:59+01:00", "yes"),
        ("oce-ge-charter", [], "2030-01-01T00:00:00Z", "no"),
    ],
)  # fmt: skip
def test_in_force(
    conventions: dict[str, Convention], name: str, events: list[dict[str, Any]], instant: str, expected: str
) -> None:
    """The half-open interval is [start 00:00, end), local time, as the text and the record tell it."""
    assert in_force(conventions[name], history(*events), at(instant)).value == expected


def test_the_last_signature_counts_and_all_are_needed(conventions: dict[str, Convention]) -> None:
    """With one signature a party, the last one counts; while one is missing, the start is undetermined (D2)."""
    paca = conventions["paca-pe-2016"]
    one = {"e": "signed", "on": "2016-03-15", "by": "region-paca"}
    two = {"e": "signed", "on": "2016-04-02", "by": "pole-emploi"}
    assert in_force(paca, history(one), at("2017-01-01T00:00:00Z")).value == "undetermined"
    assert in_force(paca, history(one, two), at("2016-04-01T12:00:00Z")).value == "no"
    assert in_force(paca, history(one, two), at("2016-04-02T12:00:00Z")).value == "yes"


def test_the_last_word_of_the_dpo_counts(conventions: dict[str, Convention]) -> None:
    """What the DPO recorded by mistake is corrected by a later record, and an end that the DPO recorded settles a dispute."""
    csp, face = conventions["csp-ft-2024"], conventions["face-pe-2014"]
    first, second = ({"e": "end_recorded", "on": day, "by": "dpo"} for day in ("2016-06-30", "2019-06-30"))
    assert answer(face, history(first, second), "destruction_deadline", None, {}) == "2019-08-30"
    timely, late = ({"e": "reading_recorded", "reading": one, "by": "dpo"} for one in ("timely", "late"))
    disputed = denounced("2026-12-12")
    assert answer(csp, history(disputed, timely, late), "last_day_in_force", None, {}) != "2027-03-11"
    assert answer(csp, history(disputed, late, timely), "last_day_in_force", None, {}) == "2027-03-11"
    other = {"e": "end_recorded", "on": "2027-03-12", "by": "dpo"}
    assert answer(csp, history(disputed, other), "destruction_deadline", None, {}) == "2027-05-12"


def test_a_denunciation_sent_but_not_received_is_disputed(conventions: dict[str, Convention]) -> None:
    """Sent in time without receipt on record: disputed, never ended for sure (CSP-I3)."""
    csp = conventions["csp-ft-2024"]
    sent = history({"e": "denounced", "by": "unml", "sent_on": "2026-12-01"})
    assert answer(csp, sent, "optout_timely", None, {}) == "disputed"
    assert life(csp, sent).end is None
    assert in_force(csp, sent, at("2031-01-01T00:00:00Z")).value == "disputed"


@pytest.mark.parametrize(("reading", "expected"), [("timely", "no"), ("late", "yes")])
def test_only_the_dpo_settles_a_dispute(conventions: dict[str, Convention], reading: str, expected: str) -> None:
    """A recorded reading of the DPO settles the dispute; anybody else's changes nothing."""
    csp = conventions["csp-ft-2024"]
    instant = at("2027-03-12T08:00:00+01:00")
    row = {"e": "reading_recorded", "term": 1, "reading": reading}
    assert in_force(csp, history(denounced("2026-12-12"), {**row, "by": "dpo"}), instant).value == expected
    assert in_force(csp, history(denounced("2026-12-12"), {**row, "by": "operator"}), instant).value == "disputed"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}}], "2019-12-31"),
        (
            [
                {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}},
                {"e": "approved", "body": "Commission Permanente", "on": "2020-01-05"},
            ],
            "2019-12-31",
        ),
        (
            [
                {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}},
                {"e": "approved", "body": "Conseil d'administration", "on": "2019-12-13"},
            ],
            "2019-12-31",
        ),
        (
            [
                {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}},
                {"e": "approved", "body": "la Commission permanente", "on": "2019-12-31"},
                {"e": "amendment_signed", "on": "2020-11-20", "sets": {"term.end_on": "2021-06-30"}},
            ],
            "disputed",
        ),
        (
            [
                {"e": "amendment_signed", "on": "2020-11-20", "sets": {"term.end_on": "2021-06-30"}},
                {"e": "approved", "body": "Commission Permanente", "on": "2020-12-18"},
                {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}},
                {"e": "approved", "body": "la Commission permanente", "on": "2019-12-31"},
            ],
            "2021-06-30",
        ),
        (
            [
                {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}, "id": "one"},
                {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2021-06-30"}, "id": "two"},
                {"e": "approved", "body": "Commission Permanente", "on": "2019-12-13", "amendment": "one"},
            ],
            "2020-12-31",
        ),
    ],
)
def test_an_amendment_counts_only_if_complete_before_the_end(
    conventions: dict[str, Convention], events: list[dict[str, Any]], expected: str
) -> None:
    """Signed, and approved for itself by the body that the text names, before the end; else it moves nothing (D17)."""
    assert answer(conventions["paca-pe-2016"], history(SIGNED, *events), "last_day_in_force", None, {}) == expected


def _amended(signed: str, until: str | None, **more: str) -> dict[str, Any]:
    return {"e": "amendment_signed", "on": signed, "sets": {"term.end_on": until} if until else {"other": 1}, **more}


BODY = {"e": "approved", "body": "Commission Permanente"}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([_amended("2018-06-01", "2020-06-30"), _amended("2019-06-01", "2022-12-31"), {**BODY, "on": "2019-06-02"}], ("2020-06-30", "disputed")),
        ([_amended("2018-06-01", "2020-06-30"), _amended("2019-06-01", "2022-12-31", id="b"), {**BODY, "on": "2019-06-02", "amendment": "b"}], ("2022-12-31", "yes")),
        ([_amended("2018-06-01", None), _amended("2019-06-01", "2020-12-31"), {**BODY, "on": "2019-06-02"}], ("2020-12-31", "yes")),
        ([_amended("2019-06-01", "2020-12-31", id="b"), {**BODY, "on": "2019-06-02"}, {**BODY, "on": "2020-02-01", "amendment": "b"}], ("2019-12-31", "disputed")),
        ([_amended("2018-06-01", "2020-06-30"), _amended("2019-06-01", "2022-12-31"), {**BODY, "on": "2019-06-02"}, {"e": "end_recorded", "on": "2022-12-31", "by": "dpo"}], ("2022-12-31", "yes")),
        ([_amended("2018-06-01", "2020-06-30"), {"e": "end_recorded", "on": "2022-12-31", "by": "dpo"}, _amended("2019-06-01", "2022-12-31"), {**BODY, "on": "2019-06-02"}], ("2020-06-30", "disputed")),
    ],
)  # fmt: skip
def test_an_approval_that_may_be_of_another_amendment_leaves_the_end_disputed(
    conventions: dict[str, Convention], events: list[dict[str, Any]], told: tuple[str, str]
) -> None:
    """The earliest end is told, nothing runs after it, nothing is purged, until the approval is named or the DPO speaks (D17, D18)."""
    paca = conventions["paca-pe-2016"]
    found = last_day_in_force(paca, history(SIGNED, *events), None)
    assert (str(found.value), found.status) == told
    late = at("2023-06-30T12:00:00+02:00")
    assert answer(paca, history(SIGNED, *events), "purge_allowed", late, {})["allowed"] == (told[1] == "yes")
    if told[1] == "disputed":
        assert in_force(paca, history(SIGNED, *events), at("2020-09-01T12:00:00+02:00")).value == "disputed"
        assert "approbation" in found.arithmetic.fr


def test_a_reading_of_a_term_is_not_undone_by_one_of_no_term(conventions: dict[str, Convention]) -> None:
    """The DPO's last word on a term counts; a reading that names no term counts where none names it."""
    csp, disputed = conventions["csp-ft-2024"], denounced("2026-12-12")
    timely, late = ({"e": "reading_recorded", "reading": one, "by": "dpo"} for one in ("timely", "late"))
    kept = answer(csp, history(disputed, {**late, "term": 1}), "last_day_in_force", None, {})
    assert kept != "2027-03-11"
    assert answer(csp, history(disputed, {**late, "term": 1}, timely), "last_day_in_force", None, {}) == kept
    assert answer(csp, history(disputed, timely, {**late, "term": 1}), "last_day_in_force", None, {}) == kept
    assert answer(csp, history(disputed, timely, {**late, "term": 2}), "last_day_in_force", None, {}) == "2027-03-11"


def test_an_end_recorded_before_a_dispute_does_not_settle_it(conventions: dict[str, Convention]) -> None:
    """Only the DPO's record of an end that came after the denunciation says how it is to be read (D18)."""
    csp, disputed = conventions["csp-ft-2024"], denounced("2026-12-12")
    end = {"e": "end_recorded", "on": "2033-03-11", "by": "dpo"}
    assert in_force(csp, history(end, disputed), at("2028-01-01T00:00:00Z")).value == "disputed"
    assert in_force(csp, history(disputed, end), at("2028-01-01T00:00:00Z")).value == "yes"
    assert in_force(csp, history(disputed, {**end, "by": None}), at("2028-01-01T00:00:00Z")).value == "disputed"


def test_the_last_day_cites_the_clause_that_moved_it(conventions: dict[str, Convention]) -> None:
    """The end of a first term is the term's article, of a renewed one the renewal's, of an amended one that of amendments."""
    csp, paca = conventions["csp-ft-2024"], conventions["paca-pe-2016"]
    moved = (
        {"e": "amendment_signed", "on": "2019-12-20", "sets": {"term.end_on": "2020-12-31"}},
        {"e": "approved", "body": "Commission Permanente", "on": "2019-12-13"},
    )
    told = [
        last_day_in_force(csp, (), at("2026-01-01T00:00:00Z")),
        last_day_in_force(csp, (), at("2028-01-01T00:00:00Z")),
        last_day_in_force(csp, history(denounced("2029-12-01")), None),
        last_day_in_force(paca, history(SIGNED), None),
        last_day_in_force(paca, history(SIGNED, *moved), None),
    ]
    assert [one.article for one in told] == ["art. 11 § 1", "art. 11 § 2", "art. 11 § 2", "art. 24", "art. 23 § 1"]


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        ({"on": "2025-10-20", "based_on": "annual-review"}, "2026-11-06"),
        ({"on": "2025-11-06", "based_on": "annual-review"}, "2026-11-06"),
        ({"on": "2025-11-07", "based_on": "annual-review"}, "2025-11-06"),
        ({"on": "2025-10-20"}, "2025-11-06"),
    ],
)
def test_an_express_renewal_counts_only_if_complete_before_the_end(
    conventions: dict[str, Convention], decided: dict[str, str], expected: str
) -> None:
    """A renewal decided in time, on the ground that the text names, adds one year; any other leaves a gap (D17)."""
    events = history({"e": "renewal_decided", **decided})
    assert answer(conventions["geiq-amilaura-2024"], events, "last_day_in_force", None, {}) == expected


@pytest.mark.parametrize(
    ("name", "events", "expected"),
    [
        ("csp-ft-2024", [letter(received_on="2025-04-15", effect_date="2025-06-01")], "2025-06-15"),
        ("paca-pe-2016", [SIGNED, letter(by="region-paca", sent_on="2017-11-30")], "2018-02-28"),
        ("paca-pe-2016", [SIGNED, letter(by="region-paca", received_on="2017-11-30")], None),
        (
            "paca-pe-2016",
            [SIGNED, {"e": "breach_notice", "by": "pole-emploi", "received_at": "2018-05-14T11:20:00+02:00"}],
            "2018-05-14T11:20:00+02:00",
        ),
        ("oce-ge-charter", [denounced("2025-05-12", by="oce")], "2025-05-12"),
    ],
)
def test_termination_effect(
    conventions: dict[str, Convention], name: str, events: list[dict[str, Any]], expected: str | None
) -> None:
    """Each clause of termination has its own day, and none without what it counts from (D8, D9, D10b)."""
    assert answer(conventions[name], history(*events), "termination_effect", None, {}) == expected


def test_the_last_day_is_undetermined_where_the_text_is_silent(conventions: dict[str, Convention]) -> None:
    """A silent text has no last day that one could tell; an open-ended one has none at all."""
    assert answer(conventions["face-pe-2014"], (), "last_day_in_force", None, {}) == "undetermined"
    signed = history({"e": "signed", "on": "2025-02-03"})
    assert answer(conventions["oce-ge-charter"], signed, "last_day_in_force", None, {}) is None


def test_a_renewal_limit_ends_the_terms(altered: Made) -> None:
    """A text that renews at most once ends after its second term."""
    csp = altered("csp-ft-2024", ("max_times: not_stated", "max_times: 1"))
    assert last_day_in_force(csp, (), None).value == date(2030, 3, 11)
    assert in_force(csp, (), at("2030-03-12T00:00:00+01:00")).value == "no"


def test_a_fixed_end_renews_from_the_day_after(altered: Made) -> None:
    """A stated end that renews tacitly is followed by terms counted from the day after it."""
    clause = "basis: stated, clause: {ref: art. 24}"
    renewal = "{kind: tacit, period: {months: 6}, max_times: 2, opt_out: {at_least: {months: 1}, counts: receipt, form: any, %s}, %s}"
    paca = altered(
        "paca-pe-2016",
        (
            "renewal: {kind: not_stated, basis: hub_policy, clause: not_stated}",
            f"renewal: {renewal % (clause, clause)}",
        ),
    )
    ends = [term.last for term in life(paca, history(SIGNED)).terms()]
    assert ends == [date(2019, 12, 31), date(2020, 6, 30), date(2020, 12, 31)]


def test_later_terms_have_their_own_opt_out(conventions: dict[str, Convention]) -> None:
    """The opt-out day is that of the term asked, or of the term of the instant."""
    csp = conventions["csp-ft-2024"]
    assert answer(csp, (), "optout_deadline", at("2027-06-01T00:00:00Z"), {}) == "2029-12-11"
    assert answer(csp, (), "optout_deadline", None, {"term": 3}) == "2032-12-11"
    assert answer(csp, (), "optout_window", None, {}) == {"safe": "2026-12-11", "last_valid": "2026-12-11"}
    assert answer(conventions["geiq-amilaura-2024"], (), "optout_deadline", None, {}) is None


@given(DAYS, st.integers(1, 60))
def test_terms_touch_and_never_overlap(start: date, months: int) -> None:
    """The day after a term's last day is the next term's first day, however the months clip (D2, D4)."""
    lasts = [last_day(start, months * number) for number in range(1, 12)]
    assert all(before < after for before, after in pairwise([start - timedelta(days=1), *lasts]))
    assert all(add_months(start, months * n) - last <= timedelta(days=1) for n, last in enumerate(lasts, 1))


@given(st.integers(0, 1500), st.sampled_from(["years", "months"]), st.integers(1, 10))
def test_the_terms_of_a_convention_touch(altered: Made, shift: int, unit: str, number: int) -> None:
    """The terms that the engine walks are half-open, in order, without gap or overlap."""
    start = date(2020, 2, 28) + timedelta(days=shift)
    csp = altered(
        "csp-ft-2024",
        ("signed_on: 2024-03-12", f"signed_on: {start}"),
        ("duration: {years: 3}", f"duration: {{{unit}: {number}}}"),
        ("period: {years: 3}", f"period: {{{unit}: {number}}}"),
    )
    terms = list(islice(life(csp, ()).terms(), 8))
    assert terms[0].first == start
    assert all(after.first == before.last + timedelta(days=1) for before, after in pairwise(terms))
    assert all(term.first <= term.last for term in terms)


@given(DAYS, st.integers(0, 240), st.integers(0, 240))
def test_months_never_drift(anchor: date, few: int, more: int) -> None:
    """Months are counted in one step from the anchor: the quantième holds or clips, and more months are never earlier (D3)."""
    day = add_months(anchor, few)
    assert (day.year - anchor.year) * 12 + day.month - anchor.month == few
    assert day.day == anchor.day or (day.day < anchor.day and (day + timedelta(days=1)).month != day.month)
    assert add_months(anchor, few) <= add_months(anchor, few + more)


@given(DAYS, st.integers(1, 24))
def test_the_safe_day_is_never_after_the_last_valid_one(last: date, months: int) -> None:
    """Counted backwards is never later than counted forwards, and both are as near to the end as their test allows (D7)."""
    found = window(last, months)
    assert found.safe <= found.last_valid
    assert add_months(found.last_valid, months) <= last
    assert add_months(found.last_valid + timedelta(days=1), months) > last


@given(DAYS)
def test_a_late_event_never_changes_an_earlier_answer(conventions: dict[str, Convention], day: date) -> None:
    """What was recorded after the instant asked is not known at that instant (D20)."""
    csp = conventions["csp-ft-2024"]
    asked = at(f"{day}T12:00:00+01:00")
    late = asked + timedelta(seconds=1)
    events = [
        Event("denounced", {"by": "unml", "received_on": "2026-12-01"}, late),
        Event("termination_letter", {"form": "registered_letter_ar", "received_on": "2024-06-01"}, late),
        Event("litigation_opened", {"on": "2024-06-01"}, late),
    ]
    for question in ("in_force", "last_day_in_force", "destruction_deadline", "purge_allowed", "alerts"):
        assert answer(csp, events, question, asked, {}) == answer(csp, (), question, asked, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Publié le 11/07/2014", date(2014, 7, 11)),
        ("7-11-2024", date(2024, 11, 7)),
        ("Paris, le 12 MARS 2024", date(2024, 3, 12)),
        ("1er août 2025", date(2025, 8, 1)),
        ("2016-03-31", date(2016, 3, 31)),
        ("07/13/2024", None),
        ("31/02/2024", None),
        ("du 1/1/2024 au 2/1/2024", None),
        ("11/07/14", None),
        ("sans date", None),
    ],
)
def test_french_dates_are_read_day_first(text: str, expected: date | None) -> None:
    """A printed French date is read day first; what is not one date is not guessed (D1)."""
    assert parse_date(text) == expected


@given(DAYS)
def test_a_printed_date_is_read_back(day: date) -> None:
    """Every date written in the French order, in figures, is read as that date."""
    assert parse_date(f"{day.day}/{day.month}/{day.year}") == day
