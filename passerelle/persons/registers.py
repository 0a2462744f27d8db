"""Small registers that a DPO asks for: notices to persons, processors, fields never used, what rests on an interpretation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Event
from passerelle.convention.event import texts
from passerelle.convention.record import PROCESSING_RECORD
from passerelle.parcel import gist
from passerelle.store import runs
from passerelle.workspace import Workspace

Json = dict[str, Any]


def notices(workspace: Workspace, connection: Connection, convention: str) -> list[Json]:
    """Of each exchange of personal data: what the text says of telling persons, and the notice on record (art. 13, 14)."""
    text = workspace.convention(convention)
    history = workspace.history(connection, convention)
    personal = text.personal_data
    clause = None if isinstance(personal, str) else personal
    said = "not_stated" if clause is None or isinstance(clause.information, str) else clause.information.model_dump()
    found = []
    for exchange in text.exchanges:
        if exchange.persons == "none":
            continue
        records = [
            {
                "on": one.says("on"), "notice": one.says("notice") or "not_stated",
                "version": one.says("notice_version") or "not_stated",
            }
            for one in history
            if one.type == "precondition_recorded" and one.says("id") == PROCESSING_RECORD and one.covers(exchange.id)
        ]  # fmt: skip
        article = clause.article if clause is not None else None
        found.append({"convention": convention, "exchange": exchange.id, "persons": exchange.persons, "information": said, "article": article, "records": records})  # fmt: skip
    return found


def processors(workspace: Workspace, connection: Connection, convention: str) -> list[Json]:
    """Third parties that the text names, and processors declared with their guarantees (art. 28), the last word on each."""
    text = workspace.convention(convention)
    security = text.security
    clause = None if isinstance(security, str) or isinstance(security.processors, str) else security.processors
    condition = {"condition": clause.condition, "article": clause.article} if clause else {"condition": "not_stated", "article": None}  # fmt: skip
    found: dict[str, Json] = {
        one.id: {"name": one.id, "role": one.role, "declared_on": None, "guarantees": "not_stated"} for one in text.third_parties
    }  # fmt: skip
    for event in workspace.history(connection, convention):
        if event.type == "processor_declared" and isinstance(event.says("name"), str):
            known = found.get(event.says("name"), {"role": "not_stated"})
            found[event.says("name")] = {**known, "name": event.says("name"), "declared_on": event.says("on"), "guarantees": event.says("guarantees") or "not_stated"}  # fmt: skip
    return [{"convention": convention, **one, **condition} for one in found.values()]


def fields(workspace: Workspace, connection: Connection, convention: str) -> list[Json]:
    """Of each recipient: the columns that it received, and those that its last declaration leaves out (art. 5(1)(c)).

    A declaration is an event ``field_use_declared``: ``exchange``, ``party``, ``fields``. Without one ``unused`` is null: unknown.
    """
    received: dict[tuple[str, str], set[str]] = {}
    for exchange, recipient, manifest in runs.manifests(connection, convention):
        received.setdefault((exchange, recipient), set()).update(gist(manifest).columns)
    history = workspace.history(connection, convention)
    return [
        {
            "convention": convention, "exchange": exchange, "recipient": recipient, "received": sorted(names),
            **_declared(history, exchange, recipient, names),
        }
        for (exchange, recipient), names in sorted(received.items())
    ]  # fmt: skip


def _declared(history: tuple[Event, ...], exchange: str, party: str, received: set[str]) -> Json:
    for event in reversed(history):
        if event.type == "field_use_declared" and (event.says("exchange"), event.says("party")) == (exchange, party):
            used = set(texts(event.says("fields")))
            return {"declared_on": event.says("on"), "unused": sorted(received - used)}
    return {"declared_on": None, "unused": None}


def interpretations(workspace: Workspace, connection: Connection, convention: str) -> list[Json]:
    """Each ambiguous point with how it is read and who decides, and the decisions that rest on an interpretation."""
    text = workspace.convention(convention)
    decided: dict[str, list[str]] = {}
    for found in workspace.ledger.find(connection, "decision", convention=convention):
        if found.entry.body.get("basis") == "interpreted":
            decided.setdefault(found.entry.body["exchange"], []).append(found.entry.at)
    recorded = {one.says("id"): one.says("on") for one in workspace.history(connection, convention) if one.type == "reading_recorded"}  # fmt: skip
    points = [
        {
            "convention": convention, "point": one.id, "about": one.about.model_dump(), "read_as": one.default,
            "who_decides": one.who_decides, "decided_on": recorded.get(one.id),
        }
        for one in text.interpretations
    ]  # fmt: skip
    rest = [
        {"convention": convention, "exchange": name, "decisions": len(at), "first": at[0], "last": at[-1]}
        for name, at in sorted(decided.items())
    ]
    return [*points, *rest]
