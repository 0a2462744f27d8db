"""What may outlive a destruction: backups that still hold something and until when; and what was written down as destroyed."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import Response

from passerelle.store import backups as kept
from passerelle.store.backups import Backup
from passerelle.workspace import tombstones
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import COVERED, said
from retention.backups import Holds, described, every_holding, holding

BACKUPS = (
    Column("backup", Text("sauvegarde", "backup"), "code"),
    Column("state", Text("état", "state"), "words"),
    Column("covers", Text("contient", "covers"), "words"),
    Column("taken_at", Text("prise le", "taken"), "moment"),
    Column("expires_on", Text("échéance", "expires"), "day"),
    Column("convention", Text("copies de", "copies of")),
    Column("copies", Text("copies", "copies"), "number"),
    Column("opens", Text("avec leurs clés", "with their keys"), "words"),
    Column("purged_on", Text("détruit ici le", "purged here on"), "day"),
    Column("deadline", Text("à détruire avant", "deadline"), "day"),
    Column("late_by", Text("retard (jours)", "late (days)"), "number"),
    Column("label", Text("où", "where")),
)
STONES = (
    Column("kind", Text("nature", "kind"), "words"),
    Column("convention", Text("convention", "convention")),
    Column("what", Text("quoi", "what"), "code"),
)
KINDS = {
    "key": Text("clé détruite", "key destroyed"),
    "rotated": Text("clé racine renouvelée", "root key rotated"),
    "copy": Text("copie détruite", "copy destroyed"),
    "purge": Text("destruction certifiée", "certified purge"),
    "backup": Text("sauvegarde inscrite", "backup on record"),
    "objection": Text("personne écartée", "person left out"),
    "withdrawn": Text("opposition retirée", "objection withdrawn"),
}


def backups(visit: Visit) -> Response:
    """The backups: what each still holds of which convention, purged or not, whether it opens, until when."""
    wanted = asked.text(visit, "convention")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "backups_read", wanted or "backups", convention=wanted)
    if wanted is not None:
        visit.workspace.convention(wanted)
    with visit.workspace.database.read() as connection:
        known = kept.backups(connection)
        held = visit.remembered(connection, holding, wanted) if wanted else visit.remembered(connection, every_holding)
    today = visit.now.date()
    rows = [_backup(one, each, today) for one in known for each in _of(one, held) if wanted is None or each is not None]
    return visit.listing(
        Listing(
            Text("Sauvegardes", "Backups"),
            Text(
                "Ce que chaque sauvegarde contient encore, détruit ici ou non, et le jour où elle doit disparaître.",
                "What each backup still holds, destroyed here or not, and the day on which it has to go.",
            ),
            BACKUPS, rows,
            Text("Aucune sauvegarde connue ne contient quoi que ce soit. Inscrivez celles que d'autres font : passerelle backup record.", "No known backup holds anything. Put those that others make on record: passerelle backup record."),
            (Filter("convention", Text("Convention encore présente", "Convention still in it")),),
        ),
        "dpo/remains.html.jinja",
    )  # fmt: skip


def stones(visit: Visit) -> Response:
    """What was written down as destroyed, outside the database: no restoration brings it back."""
    found = [one for one in tombstones.read(*visit.workspace.tombstones) if one["kind"] in KINDS][::-1]
    kind, convention = asked.text(visit, "kind"), asked.text(visit, "convention")
    rows: list[dict[str, Any]] = [
        {"row": str(len(found) - place), "kind": said(KINDS, one["kind"]), "convention": one.get("convention"), "what": _what(one)}
        for place, one in enumerate(found)
        if kind in {None, one["kind"]} and convention in {None, one.get("convention")}
    ]  # fmt: skip
    shown, cursor = paged(rows, visit.asked("after"), visit.rows, lambda row: str(row["row"]))
    return visit.listing(
        Listing(
            Text("Ce qui ne revient pas", "What does not come back"),
            Text(
                "Chaque destruction est écrite à part de la base et des sauvegardes : une base restaurée détruit à nouveau tout cela avant de s'ouvrir.",
                "Each destruction is written apart from database and backups: a restored database destroys all of it again before it opens.",
            ),
            STONES, shown, Text("Rien n'a encore été détruit.", "Nothing was destroyed yet."),
            (
                Filter("kind", Text("Nature", "Kind"), "choice", list(KINDS.items())),
                Filter("convention", Text("Convention", "Convention")),
            ), cursor,
        ),
        "dpo/remains.html.jinja",
    )  # fmt: skip


def _of(one: Backup, held: list[Holds]) -> list[Holds | None]:
    return [each for each in held if each.backup.id == one.id] or [None]


def _backup(one: Backup, held: Holds | None, today: date) -> dict[str, Any]:
    told = described(one, today)
    covers = [COVERED[part] for part in one.covers]
    state, tone = Text("en place", "there"), ""
    if one.destroyed_at is not None:
        state, tone = Text("détruite", "destroyed"), "good"
    elif told["overdue"]:
        state, tone = Text("à détruire", "to be destroyed"), "bad"
    elif held is not None and held.late_by:
        state, tone = Text("au-delà de l'échéance", "outlives the deadline"), "warn"
    row = {
        "backup": one.id, "state": state, "state_tone": tone, "taken_at": one.taken_at,
        "covers": Text(", ".join(part.fr for part in covers), ", ".join(part.en for part in covers)),
        "expires_on": date.fromisoformat(one.expires_on), "label": one.label,
    }  # fmt: skip
    if held is None:
        return row
    return {
        **row, "convention": held.convention, "copies": held.copies,
        "opens": Text("oui", "yes") if held.opens else Text("non", "no"), "late_by": held.late_by,
        "purged_on": date.fromisoformat(held.purged_on) if held.purged_on else None,
        "deadline": date.fromisoformat(held.deadline) if held.deadline else None,
    }  # fmt: skip


def _what(one: dict[str, Any]) -> str:
    if one["kind"] == "rotated":
        return str(one["generation"])
    return str(one.get("id") or one.get("name") or one.get("run") or "")


WAYS = (
    Way("backups", "/destruction/backups", backups, DPO, logs="backups_read"),
    Way("stones", "/destruction/destroyed", stones, DPO),
)
