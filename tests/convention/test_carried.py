"""What the clauses of the five texts ask and no other test shows (docs/clauses.md)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.registry import contract
from passerelle.convention import Convention, Event, Request, answer, decide, show
from passerelle.convention.cadence import MONTHS
from passerelle.convention.due import Case, due
from passerelle.convention.model import Exchange
from passerelle.planning.item import Known
from passerelle.planning.register import Entry, register
from tests.convention.conftest import at, history
from tests.gateway import OUTCOMES, STUDIES, studies

CSP, PACA, FACE, GEIQ, OCE = (
    "csp-ft-2024", "paca-pe-2016", "face-pe-2014", "geiq-amilaura-2024", "oce-ge-charter",
)  # fmt: skip
HISTORY: dict[str, list[dict[str, Any]]] = {
    PACA: [{"e": "signed", "on": "2016-03-31"}],
    OCE: [{"e": "signed", "on": "2025-02-03"}],
}
DURING = {
    CSP: "2025-06-02T12:00:00+02:00",
    PACA: "2017-01-16T12:00:00+01:00",
    FACE: "2015-06-02T12:00:00+02:00",
    GEIQ: "2025-06-02T12:00:00+02:00",
    OCE: "2025-06-02T12:00:00+02:00",
}
REQUIRED, OPTIONAL = "required", "optional"
# What clauses ask of a row: the contract, the column, and the rule that stands for it.
ASKED = (
    ("vacancies", "annonce_piece_jointe", REQUIRED),
    ("vacancies", "responsable_nom", REQUIRED),
    ("vacancies", "responsable_email", REQUIRED),
    ("vacancies", "descriptif_poste", OPTIONAL),
    ("candidate_profiles", "inscrit_orp", "registered"),
    ("candidate_profiles", "rang", "at_most_5_profiles"),
    ("candidate_profiles", "poste", REQUIRED),
    ("candidate_profiles", "concordance", "code_list"),
    ("candidate_feedback", "appreciation", "code_list"),
    ("training_offer_updates", "date_debut", REQUIRED),
    ("training_offer_updates", "date_information_collective", REQUIRED),
    ("training_offer_updates", "date_commission", REQUIRED),
    ("training_selection_decisions", "motif_refus", "required_when_refused"),
    ("spro_call_notice", "consent", "consent"),
    ("brea_offers", "libelle_metier", REQUIRED),
    ("brea_offers", "description_offre", REQUIRED),
    ("brea_offers", "duree_minimale_experience", REQUIRED),
    ("brea_offers", "type_contrat", REQUIRED),
    ("brea_offers", "duree_contrat", "required_when_CDD"),
    ("brea_offers", "lieu_travail", REQUIRED),
    ("brea_offers", "siret", "siret"),
    ("brea_offers", "salaire", OPTIONAL),
    ("placements", "date_naissance", "age_18_25"),
    ("annual_review", "inventaire_collectives_metiers_conseillers", REQUIRED),
    ("annual_review", "inventaire_collectives_metiers_jeunes", REQUIRED),
    ("annual_review", "nb_jeunes_positionnes_par_ml", REQUIRED),
    ("annual_review", "nb_jeunes_recrutes_par_type_contrat", REQUIRED),
)
LATER = {**DURING, CSP: "2026-06-02T12:00:00+02:00", PACA: "2018-06-02T12:00:00+02:00"}


def _events(name: str) -> tuple[Event, ...]:
    return history(*HISTORY.get(name, []))


def _on_record(convention: Convention, exchange: Exchange) -> list[dict[str, Any]]:
    """All that an exchange may wait for, put on record before the day asked."""
    rows: list[dict[str, Any]] = [{"e": "instrument_recorded", "id": name} for name in exchange.requires]
    rows += [{"e": "precondition_recorded", "id": "processing-record", "exchange": exchange.id}]
    rows += [{"e": "contingency_met", "exchange": exchange.id}, {"e": "consent_recorded", "exchange": exchange.id}]
    rows += [{"e": "vacancy_email_received", "at": "2025-04-17T10:00:00+02:00"}] if convention.id == OCE else []
    return rows


@pytest.mark.parametrize("name", DURING)
def test_each_exchange_is_answered_under_its_article(conventions: dict[str, Convention], name: str) -> None:
    """In force and with its conditions on record each exchange of a text may run, on the article that provides for it."""
    convention = conventions[name]
    for exchange in convention.exchanges:
        events = (*_events(name), *history(*_on_record(convention, exchange)))
        told = decide(convention, events, Request(exchange.id, at(DURING[name])))
        if convention.term.kind == "not_stated" and exchange.data_class == "personal":
            assert told.reason == "term_not_stated"
            continue
        assert told.outcome == ("allow_with_warning" if convention.term.kind == "not_stated" else "allow"), exchange.id
        assert told.article == exchange.article is not None


@pytest.mark.parametrize("name", DURING)
def test_what_is_on_no_record_stops_what_needs_it(conventions: dict[str, Convention], name: str) -> None:
    """With nothing but the signature on record no exchange runs that concerns persons, waits for a document or is contingent."""
    convention = conventions[name]
    for exchange in convention.exchanges:
        told = decide(convention, _events(name), Request(exchange.id, at(DURING[name])))
        held = exchange.data_class == "personal" or exchange.requires or exchange.status != "active"
        early = exchange.not_before is not None
        assert told.allowed == (not held and not early), exchange.id


def test_what_an_amendment_is_to_bring_has_no_ground_before_it(conventions: dict[str, Convention]) -> None:
    """The amendments and annexes to come are known by name, without a date; until the text is amended nothing of theirs may run."""
    paca = conventions[PACA]
    amendments = [one.id for one in paca.instruments if one.kind == "amendment"]
    assert len(amendments) == 5
    for name in amendments:
        told = due(Case(paca, _events(PACA), at(DURING[PACA]), {"instrument": name}))
        assert (told.value, told.status) == (None, "undetermined")
        assert told.article is not None
        asked = decide(paca, _events(PACA), Request(name.removeprefix("amendment-"), at(DURING[PACA])))
        assert asked.reason == "not_an_exchange_of_this_convention"


@pytest.mark.parametrize(
    ("name", "exchange", "recipient"), [(FACE, "shared-studies", "ministry-of-labour"), (PACA, "studies", "orm")]
)
def test_who_only_takes_part_receives_nothing(
    conventions: dict[str, Convention], name: str, exchange: str, recipient: str
) -> None:
    """An organisation that a text names as present or as taking part is known, and is no recipient of any exchange."""
    convention = conventions[name]
    assert convention.knows(recipient)
    assert all(recipient not in one.to for one in convention.exchanges)
    told = decide(convention, _events(name), Request(exchange, at(DURING[name]), recipients=(recipient,)))
    assert told.reason == "not_an_exchange_of_this_convention"


@pytest.mark.parametrize(("name", "exchange"), [(OCE, "periodic-review"), (PACA, "events-list")])
def test_a_rhythm_to_be_agreed_has_no_date(conventions: dict[str, Convention], name: str, exchange: str) -> None:
    """Where the text leaves the rhythm to the parties, what is due when is undetermined, and the article says so."""
    convention = conventions[name]
    told = due(Case(convention, _events(name), at(DURING[name]), {"exchange": exchange, "period": "2017"}))
    found = convention.exchange(exchange)
    assert found is not None
    assert found.trigger.every == "to_be_agreed"
    assert (told.value, told.status, told.article) == (None, "undetermined", found.article)


def _line(entries: list[Entry], name: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind == "obligation" and entry.id == name]


@pytest.mark.parametrize("name", DURING)
def test_each_obligation_stands_on_the_register_with_its_evidence(
    conventions: dict[str, Convention], name: str
) -> None:
    """Each obligation of each text has its lines on the register: late where its day is past, shown once its evidence is there."""
    convention, instant = conventions[name], at(LATER[name])
    before = register(Known(convention, _events(name)), instant)
    for obligation in convention.obligations:
        lines = _line(before, obligation.id)
        assert lines, obligation.id
        assert {line.article for line in lines} <= {obligation.article, getattr(obligation.due, "article", None)}
        assert all(line.state != "done" and not line.evidence for line in lines)
        past = [line for line in lines if line.due is not None and line.due < instant.date()]
        assert {line.state for line in past} <= {"late"}
        day = min((line.due for line in lines if line.due is not None), default=instant.date()).isoformat()
        shown = [{"e": "meeting_held", "id": obligation.id, "on": day, "minutes": True}] * obligation.cadence.at_least
        after = _line(register(Known(convention, (*_events(name), *history(*shown))), instant), obligation.id)
        assert any(line.evidence for line in after), obligation.id
        if obligation.due != "not_stated" or obligation.cadence.per in MONTHS:
            assert sum(line.state == "late" for line in after) <= sum(line.state == "late" for line in lines)


@pytest.mark.parametrize("name", DURING)
def test_a_silent_text_says_so(conventions: dict[str, Convention], name: str) -> None:
    """What a text does not say is told with it: its list of silences, no article for what the hub decides alone."""
    convention = conventions[name]
    told = show(convention, _events(name), at(DURING[name]))
    assert told["silences"] == list(convention.silences) != []
    assert convention.retention.basis == ("stated" if name == CSP else "hub_policy")
    assert (told["dates"]["destruction_deadline"]["article"] is None) == (name != CSP)
    for silent in ("security", "personal_data"):
        assert (getattr(convention, silent) == "not_stated") == (name != CSP)


def test_doubts_about_a_text_are_told_with_it(conventions: dict[str, Convention]) -> None:
    """A contradiction of the text is an interpretation with its readings and who decides; what is odd in the source is remarked."""
    told = show(conventions[GEIQ], (), at(DURING[GEIQ]))
    age = next(one for one in told["interpretations"] if one["id"] == "GEIQ-I4")
    assert len(age["readings"]) == 2
    assert age["who_decides"] == "signatories"
    assert any("four originals" in remark for remark in conventions[CSP].source.remarks)
    assert len(conventions[CSP].signatories()) == 5


def test_the_law_of_a_text_is_kept_where_it_is_stated(conventions: dict[str, Convention]) -> None:
    """Only the text that chooses a law has one."""
    assert [name for name, one in conventions.items() if one.governing_law != "not_stated"] == [CSP]


def test_rights_are_exercised_with_the_officer_of_each_party(conventions: dict[str, Convention]) -> None:
    """Three parties have the address that the text gives; for the ministries it is not stated, and never guessed."""
    parties = {party.id: answer(conventions[CSP], (), "dpo_contact", None, {"party": party.id}) for party in conventions[CSP].parties}  # fmt: skip
    assert {name for name, contact in parties.items() if contact == "not_stated"} == {"mtss", "mtfp"}
    assert all("@" in contact["email"] for contact in parties.values() if contact != "not_stated")


def test_files_name_no_person(conventions: dict[str, Convention]) -> None:
    """A party's officer is an address of a function; nobody is named among the parties."""
    for convention in conventions.values():
        for party in convention.parties:
            assert isinstance(party.dpo, str) or party.dpo.email.split("@")[0].replace("-", " ").split()[0] in {"contact", "dpo"}  # fmt: skip


@pytest.mark.parametrize(("dataset", "column", "asked"), ASKED)
def test_the_rules_that_clauses_ask_for_are_in_the_contracts(dataset: str, column: str, asked: str) -> None:
    """What a clause asks of each row is a required column, an optional one, or a rule of the contract of its exchange."""
    judging = contract(dataset)
    (found,) = (one for one in judging.columns if one.name == column)
    if asked in (REQUIRED, OPTIONAL):
        assert found.required == (asked == REQUIRED)
    else:
        assert asked in {rule.id for rule in judging.rules if rule.column == column}


def test_a_short_vacancy_is_taken_and_said_not_to_be_owed() -> None:
    """An announcement of two weeks or less is no fault: the contract notes it as not owed."""
    (note,) = contract("vacancies").notes
    assert (note.id, note.column, note.at_most) == ("not_owed", "duration_days", 14)


@pytest.mark.parametrize(("which", "rows"), [(STUDIES, 200), (OUTCOMES, 400)])
def test_attribution_and_purpose_travel_with_the_data(tmp_path: Path, which: str, rows: int) -> None:
    """The manifest of what Pôle emploi sends names it as the source in the words of the text, and says what the data are for."""
    gateway = studies(tmp_path)
    outcome = gateway.run(which, "2018", gateway.write(which, rows))
    assert outcome.state == "delivered"
    (delivery,) = gateway.deliveries(state="delivered")
    manifest = json.loads(delivery.manifest)
    convention, _, name = which.partition("/")
    exchange = gateway.workspace.convention(convention).exchange(name)
    gateway.workspace.close()
    assert exchange is not None
    assert exchange.attribution is not None
    assert manifest["sources"][0]["title"].endswith(exchange.attribution.fr)
    assert manifest["passerelle"]["purpose"] == (exchange.purpose or exchange.title).model_dump()
    assert datetime.fromisoformat(manifest["created"]).year == 2019
