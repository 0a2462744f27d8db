"""A convention's life: in force or not, each date with its article, basis and arithmetic, as words and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.convention import calendar_entries, show
from passerelle.errors import PasserelleError, UsageError
from passerelle.workspace import Workspace
from portal.page import alert_in_words, date_name
from portal.picture import done, picture
from portal.render import Lang, Text, day
from portal.web.listing import Column, Listing
from portal.web.pages import asked
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import EVERYONE, NO_VALUE, OUTCOME, STATUS, STATUS_TONE, WHO_DECIDES, ground, reason, said

BEFORE, AFTER = timedelta(days=365), timedelta(days=3 * 365)  # what the picture shows around today
Act = dict[str, Any]
LONG_AGO = date(1900, 1, 1)
TONES = {"allow": "good", "allow_with_warning": "warn", "block": "bad"}

COLUMNS = (
    Column("id", Text("convention", "convention"), "code"),
    Column("title", Text("intitulé", "title"), "words"),
    Column("status", Text("en vigueur", "in force"), "words"),
    Column("destruction", Text("destruction au plus tard", "destruction at the latest"), "words"),
    Column("to_do", Text("à faire", "to do"), "number"),
)


def every(visit: Visit) -> Response:
    """Every convention and where it stands today."""
    rows: list[dict[str, Any]] = []
    with visit.workspace.database.read() as connection:
        found = visit.remembered(connection, _each)
    for which, told in found.items():
        if told is None:
            rows.append(
                {"id": which, "title": Text("fichier illisible", "file that cannot be read"), "title_tone": "bad"}
            )
            continue
        due = told["dates"].get("destruction_deadline", {"value": None, "status": "no"})
        rows.append({
            "id": which, "id_href": visit.href("convention", which=which), "title": Text(**told["title"]),
            "status": STATUS[told["status"]], "status_tone": _tone(told["status"]), "destruction": _value(due),
            "to_do": len(told["alerts"]),
        })  # fmt: skip
    return visit.listing(
        Listing(
            Text("Conventions", "Conventions"),
            Text("Ce que chaque texte permet aujourd'hui, et jusqu'à quand.", "What each text allows today, and until when."),
            COLUMNS, rows,
            Text("Aucune convention : déposez son fichier dans le dossier conventions/.", "No convention: lay its file in the folder conventions/."),
        )
    )  # fmt: skip


def _each(workspace: Workspace, connection: Connection) -> dict[str, dict[str, Any] | None]:
    """Where each convention stands; None for one whose file cannot be read, or whose record is not what the trail tells."""
    found: dict[str, dict[str, Any] | None] = dict.fromkeys(workspace.convention_ids())
    for which in found:
        with suppress(PasserelleError):
            text = workspace.convention(which)
            found[which] = show(text, workspace.history(connection, which), workspace.now())
    return found


def one(visit: Visit) -> Response:
    """One convention: status, picture, dates, exchanges, parties, what calls."""
    which = _known(visit)
    text = visit.workspace.convention(which)
    with visit.workspace.database.read() as connection:
        told = show(text, visit.workspace.history(connection, which), visit.now)
    dates = [
        (date_name(text, name), _value(found), ground(found["basis"], found["article"]), Text(**found["arithmetic"]))
        for name, found in told["dates"].items()
    ]  # fmt: skip
    exchanges = [
        {
            "id": found["id"], "title": Text(**found["title"]), "from": _who(found["from"]), "to": _who(found["to"]),
            "decision": OUTCOME[found["decision"]], "tone": TONES[found["decision"]],
            "why": reason(found["reason"] or found["warning"]), "arithmetic": Text(**found["arithmetic"]),
            "ground": ground(found["basis"], found["article"]), "who": said(WHO_DECIDES, found["who_decides"]),
        }
        for found in told["exchanges"]
    ]  # fmt: skip
    alerts = [Text(*alert_in_words(text, found)) for found in told["alerts"]]
    first, last = _span(visit)
    return visit.page(
        "dpo/convention.html.jinja", which=which, title=Text(**told["title"]), standing=STATUS[told["status"]],
        tone=_tone(told["status"]), arithmetic=Text(**told["in_force"]["arithmetic"]), dates=dates, exchanges=exchanges,
        parties=told["parties"], alerts=alerts, first=first, last=last, sha256=text.sha256,
    )  # fmt: skip


def life(visit: Visit) -> Response:
    """The picture of a convention's life, as SVG."""
    which = _known(visit)
    span = _span(visit)
    with visit.workspace.database.read() as connection:
        if span == _around(visit.now):
            drawn = visit.remembered(connection, _usual, which, visit.lang)
        else:
            acts = visit.remembered(connection, _acts, which)
            drawn = _drawn(visit.workspace, connection, which, visit.lang, span, acts)
    return Response(drawn, media_type="image/svg+xml")


def _drawn(
    workspace: Workspace, connection: Connection, which: str, lang: Lang, span: tuple[date, date], acts: Sequence[Act]
) -> str:
    text, history = workspace.convention(which), workspace.history(connection, which)
    entries = [*calendar_entries(text, history, LONG_AGO, span[1]), *acts]
    return picture(show(text, history, workspace.now()), entries, lang, *span)


def _usual(workspace: Workspace, connection: Connection, which: str, lang: Lang) -> str:
    acts = _acts(workspace, connection, which)
    return _drawn(workspace, connection, which, lang, _around(workspace.now()), acts)


def _around(now: datetime) -> tuple[date, date]:
    """What the picture shows when nobody asks for more."""
    return now.date() - BEFORE, now.date() + AFTER


def _acts(workspace: Workspace, connection: Connection, which: str) -> list[Act]:
    return list(done(connection, workspace.convention(which)))


def _who(parties: Sequence[str]) -> Text:
    known = [EVERYONE.get(party, Text(party, party)) for party in parties]
    return Text(", ".join(one.fr for one in known), ", ".join(one.en for one in known))


def _span(visit: Visit) -> tuple[date, date]:
    """From a year before today to three after, or as the address says.

    Raises:
        UsageError: the address names no dates, or the last comes before the first.
    """
    since, until = visit.asked("from"), visit.asked("to")
    first, last = _around(visit.now)
    first = asked.a_day(since, "from") if since else first
    last = asked.a_day(until, "to") if until else last
    if first > last:
        raise UsageError("expected two dates in their order", fr="il faut deux dates, dans leur ordre")
    return first, last


def _known(visit: Visit) -> str:
    which = visit.part("which")
    if which not in visit.workspace.convention_ids():
        raise AbsentError
    return which


def _tone(status: str) -> str:
    return (
        {"done": "good", "refused": "bad"}.get(STATUS_TONE[status].name.lower(), "warn")
        if status in STATUS_TONE
        else "warn"
    )


def _value(answer: Mapping[str, Any]) -> Text:
    value, status = answer["value"], str(answer["status"])
    if not isinstance(value, str):
        return NO_VALUE.get(status, Text("–", "–"))
    when = date.fromisoformat(value[:10])
    doubt = Text(" (contestée)", " (disputed)") if status == "disputed" else Text("", "")
    return Text(day(when, "fr") + doubt.fr, day(when, "en") + doubt.en)


WAYS = (
    Way("conventions", "/conventions", every, DPO, navigates=("Conventions", "Conventions")),
    Way("convention", "/conventions/{which}", one, DPO),
    Way("convention.life", "/conventions/{which}/life.svg", life, DPO),
)
