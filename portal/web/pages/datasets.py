"""What a partner's datasets must look like: each contract with its versions, what changes between them, and files to prepare with."""

from __future__ import annotations

import re

from markupsafe import Markup, escape
from starlette.responses import Response, StreamingResponse

from contracts.base import DataContract
from contracts.pages import lead, sections
from contracts.versions import Level, diff, form
from passerelle.convention.dates import local_day
from portal import datasets
from portal.datasets import FILES, Use
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.visit import AbsentError, Visit
from portal.web.ways import PARTNER, Way
from portal.words import PARIS

DOWNLOADS_A_MINUTE = 30
SIDES = {"sends": Text("vous l'envoyez", "you send it"), "receives": Text("vous le recevez", "you receive it")}
LEVELS = {
    Level.COMPATIBLE: (Text("compatible", "compatible"), "good"),
    Level.MINOR: (Text("mineur", "minor"), "warn"),
    Level.BREAKING: (Text("rupture", "breaking"), "bad"),
}
CODE = re.compile(r"`([^`]*)`")
COLUMNS = (
    Column("dataset", Text("jeu de données", "dataset"), "code"),
    Column("title", Text("intitulé", "title"), "words"),
    Column("side", Text("de votre côté", "on your side"), "words"),
    Column("exchange", Text("échange", "exchange")),
    Column("article", Text("article", "article")),
    Column("version", Text("version", "version")),
    Column("until", Text("une autre est servie jusqu'au", "another is served until"), "day"),
)


def every(visit: Visit) -> Response:
    """The datasets that the visitor's party sends or receives."""
    rows = []
    for use in _uses(visit):
        latest, *before = datasets.versions(use.dataset)
        rows.append({
            "dataset": latest.id, "dataset_href": visit.href("dataset", dataset=latest.id), "title": Text(**latest.title),
            "side": SIDES[use.side], "exchange": f"{use.convention}/{use.exchange}", "article": use.article,
            "version": latest.version, "until": before[0].served_until if before else None,
        })  # fmt: skip
    return visit.listing(
        Listing(
            Text("Contrats de données", "Data contracts"),
            Text("Ce que vous envoyez et recevez au titre des conventions en vigueur : chaque colonne, chaque règle, et de quoi vous exercer.", "What you send and receive under the conventions in force: each column, each rule, and files to practise with."),
            COLUMNS, rows,
            Text("Aucune convention en vigueur ne vous fait envoyer ni recevoir de données aujourd'hui.", "No convention in force makes you send or receive data today."),
        )
    )  # fmt: skip


def one(visit: Visit) -> Response:
    """The contract of one dataset: its columns, rules and formats, its versions, what changes between them, its files."""
    own = _own(visit)
    chosen = _chosen(visit)
    today = local_day(visit.now, PARIS)
    served = datasets.versions(chosen.id)
    tables = [
        {"title": marked(one.title), "minor": one.minor, "head": one.head, "rows": [[marked(cell) for cell in row] for row in one.rows]}
        for one in sections(chosen, visit.lang)
    ]  # fmt: skip
    return visit.page(
        "partner/dataset.html.jinja", chosen=chosen, title=Text(**chosen.title), lead=lead(chosen, visit.lang), tables=tables,
        uses=own, sides=SIDES, served=served, today=today, changes=_changes(served), files=FILES,
    )  # fmt: skip


def file(visit: Visit) -> Response:
    """A file that goes with a contract: made anew, of people who do not exist."""
    _own(visit)
    chosen, name = _chosen(visit), visit.part("file")
    if name not in FILES:
        raise AbsentError
    offered = FILES[name]
    download = f'attachment; filename="{chosen.id}-{chosen.version}-{name}"'
    return StreamingResponse(
        offered.chunks(chosen), media_type=offered.media_type, headers={"Content-Disposition": download}
    )


def marked(text: str) -> Markup:
    """A cell of a contract's page, which is inline Markdown, as HTML."""
    parts = [CODE.sub(r"<code>\1</code>", str(escape(line))) for line in text.split("<br>")]
    return Markup("<br>").join(Markup(part) for part in parts)  # noqa: S704 - escaped in the line above


def _changes(served: list[DataContract]) -> list[dict[str, object]]:
    """What changes from each version that is still served to the latest."""
    latest, *before = served
    found = [diff(form(one.reference), form(latest.reference)) for one in before]
    return [
        {
            "old": each.old, "new": each.new, "level": LEVELS[each.level],
            "changes": [(LEVELS[one.level], one.column, Text(one.fr, one.en)) for one in each.changes],
        }
        for each in found
    ]  # fmt: skip


def _uses(visit: Visit) -> list[Use]:
    with visit.workspace.database.read() as connection:
        return datasets.uses(visit.workspace, connection, visit.party)


def _own(visit: Visit) -> list[Use]:
    """The party's uses of the dataset; none: it is as absent as one that nobody knows."""
    own = [use for use in _uses(visit) if use.dataset.partition("@")[0] == visit.part("dataset")]
    if not own:
        raise AbsentError
    return own


def _chosen(visit: Visit) -> DataContract:
    chosen = datasets.version(visit.part("dataset"), visit.asked("version"))
    if chosen is None:
        raise AbsentError
    return chosen


WAYS = (
    Way("datasets", "/contracts", every, PARTNER, navigates=("Contrats de données", "Data contracts")),
    Way("dataset", "/contracts/{dataset}", one, PARTNER),
    Way("dataset.file", "/contracts/{dataset}/{file}", file, PARTNER, per_minute=DOWNLOADS_A_MINUTE),
)
