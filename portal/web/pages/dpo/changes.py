"""Convention files: which one counts, who approved each change; approving one that waits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.handover import approval
from passerelle.handover.approval import SHOWN
from passerelle.store import conventions
from passerelle.store.conventions import APPROVALS_NEEDED
from passerelle.store.partners import person
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import moment

COLUMNS = (
    Column("convention", Text("convention", "convention"), "code"),
    Column("state", Text("état", "state"), "words"),
    Column("accepted_at", Text("accepté le", "accepted"), "moment"),
    Column("approved_by", Text("approuvé par", "approved by"), "words"),
    Column("sha256", Text("empreinte du fichier", "hash of the file"), "code"),
)


def every(visit: Visit) -> Response:
    """Every file that counted, the latest first, those that wait for an approval before them."""
    return _every(visit)


def _every(visit: Visit, fault: PasserelleError | None = None) -> Response:
    wanted = asked.text(visit, "convention")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "registers_read", "changes", convention=wanted)
    visit.shows_nothing()
    with visit.workspace.database.read() as connection:
        waiting = _waiting(visit, connection)
        rows = [*waiting, *(_row(one, whole=visit.export is not None) for one in conventions.history(connection)[::-1])]
    rows = [one for one in rows if wanted in {None, one["convention"]}]
    shown, cursor = paged(
        rows, visit.asked("after"), visit.rows, lambda row: f"{row['convention']}.{row['sha256']}.{row['accepted_at']}"
    )
    listing = Listing(
        Text("Fichiers de convention", "Convention files"),
        Text(
            "La passerelle ne suit qu'un fichier accepté. Un fichier changé attend l'approbation de deux personnes ; qui l'a écrit se lit dans le dépôt des conventions.",
            "The gateway goes by an accepted file only. A changed one waits for the approval of two people; who wrote it is told by the repository of conventions.",
        ),
        COLUMNS, shown, Text("Aucun fichier n'a encore été accepté.", "No file was accepted yet."),
        (Filter("convention", Text("Convention", "Convention")),), cursor,
    )  # fmt: skip
    mine = [
        (one["convention"], Text(one["convention"], one["convention"]))
        for one in waiting
        if person(visit.account.name) not in one["people"]
    ]
    answer = visit.listing(listing, "dpo/changes.html.jinja", fault=asked.fault_in_words(fault), mine=mine, waits=bool(waiting), needed=APPROVALS_NEEDED)  # fmt: skip
    answer.status_code = 400 if fault else 200
    return answer


def consent(visit: Visit) -> Response:
    """Approve the changed file whose hash the visitor read, under the visitor's own name."""
    which, seen = visit.given("convention"), visit.given("sha256").lower()
    try:
        _insist_seen(visit, which, seen)
        found = approval.approve(visit.workspace, which, by=visit.account.name)
    except (UsageError, RefusedError) as fault:
        return _every(visit, fault)
    missing = max(APPROVALS_NEEDED - len(found.approvals), 0)
    words = (
        Text(f"Le fichier de {which} est accepté.", f"The file of {which} is accepted.")
        if found.stands
        else Text(f"Approbation enregistrée ; il en manque {missing}, d'une autre personne.", f"Approval recorded; {missing} more needed, of another person.")
    )  # fmt: skip
    return visit.go(visit.href("registers.changes"), words)


def _insist_seen(visit: Visit, which: str, seen: str) -> None:
    """The file that is approved is the one that was read: its hash is typed from it, not from the page."""
    sha256 = visit.workspace.convention(which).sha256
    if len(seen) < SHOWN or not sha256.startswith(seen):
        raise UsageError(
            f"expected the hash of the file as it is now, {SHOWN} characters at least",
            fr=f"il faut l'empreinte du fichier tel qu'il est, {SHOWN} caractères au moins (sha256sum)",
        )


def _waiting(visit: Visit, connection: Connection) -> list[dict[str, Any]]:
    found = []
    for which in visit.workspace.convention_ids():
        try:
            one = approval.standing(visit.workspace, connection, which)
        except PasserelleError:
            continue  # the watchdog says that it cannot be read
        if one.accepted is not None and not one.stands:
            people = ", ".join(one.approvals)
            found.append({
                "convention": which, "state": Text("changé, à approuver", "changed, to be approved"), "state_tone": "bad",
                "accepted_at": None, "approved_by": Text(people or "personne encore", people or "nobody yet"),
                "sha256": f"{one.sha256[:6]}…", "people": one.approvals,
            })  # fmt: skip
    return found


def _row(one: conventions.Accepted, *, whole: bool) -> dict[str, Any]:
    fr, en = (", ".join(f"{who} ({moment(at, lang)})" for who, at in one.approvals) for lang in ("fr", "en"))
    first = Text("premier fichier", "first file") if one.first else Text("sans approbation", "without approval")
    return {
        "convention": one.convention,
        "state": Text("en vigueur ici", "counts here") if one.last else Text("remplacé", "replaced"),
        "state_tone": "good" if one.last else "", "accepted_at": one.accepted_at,
        "approved_by": Text(fr, en) if one.approvals else first, "sha256": one.sha256 if whole else f"{one.sha256[:16]}…",
    }  # fmt: skip


WAYS = (
    Way("registers.changes", "/registers/changes", every, DPO, logs="registers_read"),
    Way("registers.approve", "/registers/changes", consent, DPO, "POST", fresh=True),
)
