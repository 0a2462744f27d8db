"""The record of processing (GDPR art. 30), held against what left: a table, a sheet for each processing, CSV and JSON."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.persons.article30 import HEADS, Activity, line
from passerelle.persons.article30 import article30 as activities
from passerelle.workspace import Workspace
from portal.meanings import columns_of
from portal.render import Text
from portal.web.listing import Column, Filter, Kind, Listing, paged
from portal.web.pages import asked
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import FINDINGS, PERSONS, said

TONES = {"happened": "good", "declared_never_happened": "", "undeclared": "bad"}
SHOWN = ("exchange", "title", "persons", "article", "recipients", "finding", "deliveries", "last")
WORDS = {*FINDINGS, "heading"}
KINDS: dict[str, Kind] = {"deliveries": "number", "rows": "number", "first": "day", "last": "day"}
EVERY = tuple(
    Column(key, Text(HEADS["fr"][key], HEADS["en"][key]), KINDS.get(key, "words"))
    for key in HEADS["fr"]
    if key not in WORDS
)


def article30(visit: Visit) -> Response:
    """The table, and below it one sheet for each processing; an export has every column."""
    wanted, finding = asked.text(visit, "convention"), asked.text(visit, "finding")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "registers_read", "article30", convention=wanted)
    with visit.workspace.database.read() as connection:
        found = [
            one
            for one in visit.remembered(connection, _found, *_known(visit, wanted))
            if finding in {None, one.finding}
        ]
    shown, cursor = paged(
        found, visit.asked("after"), visit.rows, lambda one: f"{one.convention}.{one.exchange}.{one.finding}"
    )
    columns = EVERY if visit.export else tuple(one for one in EVERY if one.key in SHOWN)
    listing = Listing(
        Text("Registre des activités de traitement", "Record of processing activities"),
        Text(
            "Établi d'après les conventions et confronté à chaque remise (RGPD, art. 30) : déclaré et advenu, déclaré et jamais advenu, ou advenu sans être déclaré.",
            "Generated from the conventions and held against each delivery (GDPR art. 30): declared and happened, declared and never happened, or happened undeclared.",
        ),
        columns, [_row(one) for one in shown],
        Text("Aucun traitement de données sur des personnes n'est déclaré, et aucun n'a eu lieu.", "No processing of data on persons is declared, and none happened."),
        (
            Filter("convention", Text("Convention", "Convention")),
            Filter("finding", Text("Constat", "Finding"), "choice", list(FINDINGS.items())),
        ), cursor,
    )  # fmt: skip
    sheets = [(Text(one.title["fr"], one.title["en"]), _sheet(one)) for one in shown]
    return visit.listing(listing, "dpo/article30.html.jinja", sheets=sheets)


def _known(visit: Visit, wanted: str | None) -> list[str]:
    """The convention that is asked for, if one is; raises as ``Workspace.convention`` does when there is no such."""
    return [visit.workspace.convention(wanted).id] if wanted else []


def _found(workspace: Workspace, connection: Connection, wanted: str | None = None) -> list[Activity]:
    return activities(workspace, connection, columns_of, wanted)


def _both(one: Activity) -> dict[str, Text]:
    fr, en = line(one, "fr"), line(one, "en")
    return {key: Text(_stated(fr[key], "non indiqué"), _stated(en[key], "not stated")) for key in fr}


def _stated(value: str, silent: str) -> str:
    return value.replace("not_stated", silent)


def _row(one: Activity) -> dict[str, Any]:
    return {
        **_both(one), "exchange": f"{one.convention}/{one.exchange}", "deliveries": one.deliveries, "rows": one.rows,
        "first": one.first, "last": one.last,
        "persons": said(PERSONS, one.persons), "finding": FINDINGS[one.finding], "finding_tone": TONES[one.finding],
    }  # fmt: skip


def _sheet(one: Activity) -> list[tuple[Text, Text]]:
    words = {**_both(one), "persons": said(PERSONS, one.persons) or Text("", "")}
    return [(column.title, words[column.key]) for column in EVERY if column.key != "title"]


WAYS = (Way("article30", "/registers/article30", article30, DPO, logs="registers_read"),)
