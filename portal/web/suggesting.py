"""What a search can be asked for: the conventions, exchanges and parties that there are, by id, each with its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from sqlalchemy import Connection

from passerelle.convention import Convention
from passerelle.errors import PasserelleError
from passerelle.store import partners
from passerelle.workspace import Workspace
from portal.render import Lang

MOST = 200  # of one field: nobody reads more, who knows an id types it
Suggested = list[tuple[str, str]]


def _texts(workspace: Workspace) -> Iterator[Convention]:
    for which in workspace.convention_ids():
        with suppress(PasserelleError):
            yield workspace.convention(which)


def _conventions(workspace: Workspace, _: Connection, lang: Lang) -> Suggested:
    return [(text.id, getattr(text.title, lang)) for text in _texts(workspace)][:MOST]


def _exchanges(workspace: Workspace, _: Connection, lang: Lang) -> Suggested:
    found = {one.id: getattr(one.title, lang) for text in _texts(workspace) for one in text.exchanges}
    return sorted(found.items())[:MOST]


def _parties(workspace: Workspace, connection: Connection, _: Lang) -> Suggested:
    named = {one.id: one.name for text in _texts(workspace) for one in text.parties if one.name != "not_stated"}
    return sorted(({one.id: one.name for one in partners.partners(connection)} | named).items())[:MOST]


BY_FIELD: Mapping[str, Callable[[Workspace, Connection, Lang], Suggested]] = {
    "convention": _conventions,
    "exchange": _exchanges,
    "recipient": _parties,
    "partner": _parties,
    "party": _parties,
}
