"""The registers that a DPO keeps: each answers one question of docs/dpo.md, generated from the texts and held against what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.responses import Response

from flows import planning
from passerelle.access import Search
from passerelle.handover.exposures import Exposure
from passerelle.handover.exposures import exposures as exposures_of
from passerelle.persons import registers
from passerelle.planning import Entry, register
from passerelle.workspace import Workspace
from portal.due import STATES as DUE_STATES
from portal.render import Lang, Text, day
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.pages.dpo import accesses
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import EVERYONE, PERSONS, WHO_DECIDES, ground, said

T = TypeVar("T")
Rows = list[dict[str, Any]]
CONVENTION = Filter("convention", Text("Convention", "Convention"))
NOT_STATED = Text("non indiqué", "not stated")
INDEX = (
    ("article30", Text("Registre des traitements (art. 30)", "Record of processing (art. 30)"), Text("Ce que les textes déclarent, et si cela a eu lieu.", "What the texts declare, and whether it happened.")),
    ("breaches", Text("Violations de données (art. 33, 34)", "Breaches (art. 33, 34)"), Text("Leur délai de 72 heures, et ce que chacune a touché.", "Their 72 hours, and what each touched.")),
    ("breaches.scope", Text("Étendue d'une violation", "Scope of a breach"), Text("Ce qu'une clé, un partenaire ou une période perdus ont touché : colis, personnes, colonnes.", "What a lost key, partner or span touched: parcels, persons, columns.")),
    ("registers.exposures", Text("Remises mises en cause", "Deliveries called into question"), Text("Ce qui est parti hors vigueur ou sans pièce, d'après ce que l'on sait aujourd'hui.", "What left out of force or without an instrument, by what is known today.")),
    ("registers.interpretations", Text("Décisions par interprétation", "Decisions by interpretation"), Text("Chaque point ambigu : sa lecture, qui tranche, ce qui repose dessus.", "Each ambiguous point: how it is read, who decides, what rests on it.")),
    ("registers.changes", Text("Fichiers de convention", "Convention files"), Text("Quel fichier vaut, qui a approuvé chaque changement.", "Which file counts, who approved each change.")),
    ("registers.notices", Text("Information des personnes (art. 13, 14)", "Notices to persons (art. 13, 14)"), Text("La mention et sa version, pour chaque échange.", "The notice and its version, for each exchange.")),
    ("registers.processors", Text("Sous-traitants et tiers (art. 28)", "Processors and third parties (art. 28)"), Text("Qui est passé par les données, avec quelles garanties.", "Who touched the data, with which guarantees.")),
    ("registers.fields", Text("Champs jamais utilisés", "Fields never used"), Text("Ce qui est transmis et ne sert pas : à ne plus transmettre.", "What is sent and not used: no longer to be sent.")),
    ("registers.quarantines", Text("Lignes écartées lues", "Rejected rows read"), Text("Qui les a lues, quand, pour quel motif.", "Who read them, when, for which reason.")),
    ("registers.obligations", Text("Obligations", "Obligations"), Text("Ce que les textes demandent, fait avec ses preuves, ou en retard.", "What the texts demand, done with its evidence, or late.")),
)  # fmt: skip


def index(visit: Visit) -> Response:
    """Where each register is."""
    return visit.page(
        "dpo/registers.html.jinja", index=[(visit.href(name), title, words) for name, title, words in INDEX]
    )


def _shown(visit: Visit, name: str, listing: Listing, wanted: str | None) -> Response:
    """One register, once the look is logged; ``listing`` has every row."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "registers_read", name, convention=wanted)
    numbered = [{**row, "row": str(place)} for place, row in enumerate(listing.rows)]
    shown, cursor = paged(numbered, visit.asked("after"), visit.rows, lambda row: str(row["row"]))
    whole = Listing(
        listing.title, listing.lead, listing.columns, shown, listing.empty, listing.filters or (CONVENTION,), cursor
    )
    return visit.listing(whole, "dpo/register.html.jinja")


def _each(visit: Visit, find: Callable[[Workspace, Connection, str], Sequence[Any]]) -> tuple[str | None, Rows]:
    """What a register says of the convention that is asked for, or of every one."""
    wanted = asked.text(visit, "convention")
    with visit.workspace.database.read() as connection:
        return wanted, _of_each(visit, connection, wanted, find)


def _of_each(
    visit: Visit, connection: Connection, wanted: str | None, find: Callable[[Workspace, Connection, str], Sequence[T]]
) -> list[T]:
    """What ``find`` answers on the convention that is asked for, or on every one.

    Raises:
        UsageError: there is no such convention.
    """
    if wanted:
        visit.workspace.convention(wanted)
    names = [wanted] if wanted else visit.workspace.convention_ids()
    return [one for name in names for one in visit.remembered(connection, find, name)]


def notices(visit: Visit) -> Response:
    """How persons are informed: the clause, and the notice on record with its version."""
    wanted, found = _each(visit, registers.notices)
    rows = [
        {
            "exchange": f"{one['convention']}/{one['exchange']}", "persons": said(PERSONS, one["persons"]),
            "article": one["article"] or Text("le texte est muet", "the text is silent"),
            "information": Text("le texte est muet", "the text is silent") if one["information"] == "not_stated" else Text(**one["information"]),
            "record": _records(one["records"]),
            "record_tone": "" if one["records"] else "warn",
        }
        for one in found
    ]  # fmt: skip
    columns = (
        Column("exchange", Text("échange", "exchange")), Column("persons", Text("personnes", "persons"), "words"),
        Column("record", Text("mention, version, date", "notice, version, day"), "words"),
        Column("article", Text("article", "article"), "words"), Column("information", Text("ce que dit le texte", "what the text says"), "words"),
    )  # fmt: skip
    title = Text("Information des personnes", "Notices to persons")
    lead = Text("La mention remise aux personnes et sa version (RGPD, art. 13 et 14). Sans elle au dossier, rien ne part.", "The notice given to persons and its version (GDPR art. 13 and 14). Without it on file nothing leaves.")  # fmt: skip
    empty = Text("Aucun échange de données sur des personnes.", "No exchange of data on persons.")
    return _shown(visit, "notices", Listing(title, lead, columns, rows, empty), wanted)


def _records(records: Sequence[Mapping[str, Any]]) -> Text:
    """The notices on record, each with its version and its day."""
    fr = " ; ".join(_record(each, "fr") for each in records)
    en = "; ".join(_record(each, "en") for each in records)
    return Text(fr, en) if records else Text("rien au dossier", "nothing on file")


def _record(each: Mapping[str, Any], lang: Lang) -> str:
    notice, version = each["notice"], each["version"]
    named = getattr(Text("mention non précisée", "notice not stated"), lang) if notice == "not_stated" else f"{notice}"
    return f"{named}{'' if version == 'not_stated' else f' ({version})'}, {day(date.fromisoformat(each['on']), lang)}"


def processors(visit: Visit) -> Response:
    """Processors and third parties, with the guarantees on record."""
    wanted, found = _each(visit, registers.processors)
    rows = [
        {
            **one, "guarantees": NOT_STATED if one["guarantees"] == "not_stated" else str(one["guarantees"]),
            "guarantees_tone": "warn" if one["guarantees"] == "not_stated" else "good",
            "declared_on": _day(one["declared_on"]), "role": NOT_STATED if one["role"] == "not_stated" else one["role"],
        }
        for one in found
    ]  # fmt: skip
    columns = (
        Column("convention", Text("convention", "convention")), Column("name", Text("organisme", "organisation")),
        Column("role", Text("rôle", "role"), "words"), Column("guarantees", Text("garanties", "guarantees"), "words"),
        Column("declared_on", Text("déclaré le", "declared"), "day"), Column("article", Text("article", "article")),
    )  # fmt: skip
    title = Text("Sous-traitants et tiers", "Processors and third parties")
    lead = Text("Ceux que les textes nomment et ceux qui ont été déclarés, avec leurs garanties (RGPD, art. 28). Le rôle est cité dans la langue du fichier de convention.", "Those that the texts name and those that were declared, with their guarantees (GDPR art. 28).")  # fmt: skip
    empty = Text("Aucun sous-traitant. On en déclare un par l'événement processor_declared.", "No processor. One is declared by the event processor_declared.")  # fmt: skip
    return _shown(visit, "processors", Listing(title, lead, columns, rows, empty), wanted)


def fields(visit: Visit) -> Response:
    """Which fields a recipient receives and declares never to use."""
    wanted, found = _each(visit, registers.fields)
    rows = [
        {
            "exchange": f"{one['convention']}/{one['exchange']}", "recipient": one["recipient"], "received": len(one["received"]),
            "columns": ", ".join(one["received"]), "declared_on": _day(one["declared_on"]),
            "unused": Text("pas de déclaration", "no declaration") if one["unused"] is None else ", ".join(one["unused"]) or Text("aucun", "none"),
            "unused_tone": "warn" if one["unused"] or one["unused"] is None else "good",
        }
        for one in found
    ]  # fmt: skip
    columns = (
        Column("exchange", Text("échange", "exchange")), Column("recipient", Text("destinataire", "recipient")),
        Column("received", Text("reçus", "received"), "number"), Column("unused", Text("jamais utilisés", "never used"), "words"),
        Column("declared_on", Text("déclaré le", "declared"), "day"), Column("columns", Text("champs reçus", "fields received")),
    )  # fmt: skip
    title = Text("Champs jamais utilisés", "Fields never used")
    lead = Text("Ce qu'un destinataire reçoit et déclare ne pas utiliser ne devrait plus lui être transmis (RGPD, art. 5 § 1 c).", "What a recipient receives and declares not to use should no longer be sent (GDPR art. 5(1)(c)).")  # fmt: skip
    empty = Text("Rien n'a encore été remis.", "Nothing was handed over yet.")
    return _shown(visit, "fields", Listing(title, lead, columns, rows, empty), wanted)


def interpretations(visit: Visit) -> Response:
    """What rests on an interpretation: how each point is read, who decides, and how many decisions stand on it."""
    wanted, found = _each(visit, registers.interpretations)
    columns = (
        Column("convention", Text("convention", "convention")), Column("point", Text("point, échange", "point, exchange"), "code"),
        Column("about", Text("sujet", "about"), "words"), Column("read_as", Text("lecture", "read as")),
        Column("who", Text("qui décide", "who decides"), "words"), Column("decided_on", Text("tranché le", "decided on"), "day"),
        Column("decisions", Text("décisions", "decisions"), "number"), Column("last", Text("la dernière", "the last"), "moment"),
    )  # fmt: skip
    title = Text("Décisions par interprétation", "Decisions by interpretation")
    lead = Text("Chaque point que les textes laissent ambigu : comment il est lu, qui le tranche, s'il l'a été, et les décisions prises par interprétation. La lecture est citée dans la langue du fichier de convention.", "Each point that the texts leave open: how it is read, who decides it, whether it was, and the decisions taken by interpretation.")  # fmt: skip
    empty = Text("Rien ne repose sur une interprétation.", "Nothing rests on an interpretation.")
    return _shown(
        visit, "interpretations", Listing(title, lead, columns, [_reading(one) for one in found], empty), wanted
    )


def _reading(one: dict[str, Any]) -> dict[str, Any]:
    if "decisions" in one:
        return {
            **one,
            "point": one["exchange"],
            "about": Text("décisions fondées sur une interprétation", "decisions that rest on an interpretation"),
        }
    return {
        **one, "about": Text(**one["about"]), "who": said(WHO_DECIDES, one["who_decides"]),
        "decided_on": _day(one["decided_on"]),
    }  # fmt: skip


def exposures(visit: Visit) -> Response:
    """Deliveries that should not have happened, as the record tells it since (D20)."""
    wanted = asked.text(visit, "convention")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "exposures_read", wanted or "exposures", convention=wanted)
    with visit.workspace.database.read() as connection:
        found = _of_each(visit, connection, wanted, _exposed)
    kept, cursor = paged(found, visit.asked("after"), visit.rows, lambda pair: pair[1].delivery)
    shown = [
        {**one.as_json(), "delivery_href": visit.href("delivery", parcel=one.delivery), "exchange": f"{name}/{one.exchange}"}
        for name, one in kept
    ]  # fmt: skip
    return visit.listing(
        Listing(
            Text("Remises mises en cause", "Deliveries called into question"),
            Text(
                "Ce qui est parti et que l'état actuel du dossier interdit : hors vigueur, ou sans pièce. Rien de passé n'est réécrit ; le délégué décide des suites.",
                "What left and is forbidden by what is on record today: out of force, or without an instrument. Nothing past is rewritten; the officer decides what follows.",
            ),
            (
                Column("delivered_at", Text("remis le", "delivered"), "moment"), Column("exchange", Text("échange", "exchange")),
                Column("period", Text("période", "period")), Column("recipient", Text("destinataire", "recipient")),
                Column("rows", Text("lignes", "rows"), "number"), Column("delivery", Text("colis", "parcel"), "code"),
            ),
            shown, Text("Aucune livraison n'est mise en cause.", "No delivery is called into question."), (CONVENTION,), cursor,
        ),
        "dpo/register.html.jinja",
    )  # fmt: skip


def _exposed(workspace: Workspace, connection: Connection, which: str) -> list[tuple[str, Exposure]]:
    return [(which, one) for one in exposures_of(workspace, connection, which)]


def quarantines(visit: Visit) -> Response:
    """Who read rejected rows, when and why: the lines of the access log."""
    title = Text("Lignes écartées lues", "Rejected rows read")
    lead = Text("Une ligne écartée ne se lit qu'avec un motif, inscrit avant la lecture ; chaque lecture des douze derniers mois est ici.", "A rejected row is read with a reason only, written before the read; each read of the last twelve months is here.")  # fmt: skip
    empty = Text("Personne n'a lu de ligne écartée.", "Nobody has read a rejected row.")
    return accesses.shown(visit, Search(action="quarantine_read", convention=asked.text(visit, "convention")), title, lead, empty, (CONVENTION,))  # fmt: skip


def obligations(visit: Visit) -> Response:
    """The register of obligations: late first, then by date."""
    wanted, state = asked.text(visit, "convention"), asked.text(visit, "state")
    with visit.workspace.database.read() as connection:
        every = _of_each(visit, connection, wanted, _obliged) if wanted else visit.remembered(connection, _all_obliged)
    order = {"late": 0, "due": 1, "not_dated": 2, "standing": 3, "done": 4}
    found = sorted(every, key=lambda one: order[one.state])
    rows = [
        {
            "state": said(DUE_STATES, one.state), "state_tone": {"late": "bad", "done": "good"}.get(one.state, ""), "due": one.due,
            "convention": one.convention, "what": Text(one.title.fr, one.title.en), "period": one.period,
            "who": Text(*(", ".join(getattr(said(EVERYONE, who) or who, lang, who) for who in one.who) for lang in ("fr", "en"))),
            "ground": ground(one.basis, one.article), "evidence": "; ".join(f"{each.event} {each.day or ''}".strip() for each in one.evidence),
        }
        for one in found
        if state in {None, one.state}
    ]  # fmt: skip
    columns = (
        Column("state", Text("état", "state"), "words"), Column("due", Text("échéance", "due"), "day"),
        Column("convention", Text("convention", "convention")), Column("what", Text("quoi", "what"), "words"),
        Column("period", Text("période", "period")), Column("who", Text("qui", "who"), "words"),
        Column("ground", Text("fondement", "basis"), "words"), Column("evidence", Text("preuves", "evidence")),
    )  # fmt: skip
    states = [(code, DUE_STATES[code]) for code in order]
    title = Text("Obligations", "Obligations")
    lead = Text("Ce que les textes demandent de faire et de prouver.", "What the texts ask to be done and to be shown.")
    empty = Text("Aucune obligation ne répond : élargissez la recherche.", "No obligation answers: widen the search.")
    filters = (CONVENTION, Filter("state", Text("État", "State"), "choice", states))
    return _shown(visit, "obligations", Listing(title, lead, columns, rows, empty, filters), wanted)


def _obliged(workspace: Workspace, connection: Connection, which: str) -> list[Entry]:
    return list(register(planning.known(workspace, connection, which), workspace.now()))


def _all_obliged(workspace: Workspace, connection: Connection) -> list[Entry]:
    return [entry for one in planning.each(workspace, connection) for entry in register(one, workspace.now())]


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


WAYS = (
    Way("registers", "/registers", index, DPO, navigates=("Registres", "Registers")),
    Way("registers.exposures", "/registers/exposures", exposures, DPO, logs="exposures_read"),
    Way("registers.interpretations", "/registers/interpretations", interpretations, DPO, logs="registers_read"),
    Way("registers.notices", "/registers/notices", notices, DPO, logs="registers_read"),
    Way("registers.processors", "/registers/processors", processors, DPO, logs="registers_read"),
    Way("registers.fields", "/registers/fields", fields, DPO, logs="registers_read"),
    Way("registers.quarantines", "/registers/quarantines", quarantines, DPO, logs="access_read"),
    Way("registers.obligations", "/registers/obligations", obligations, DPO, logs="registers_read"),
)
