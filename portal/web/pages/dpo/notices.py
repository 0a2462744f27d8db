"""Notices to the recipients of a person's data (GDPR art. 19): whom to tell, what to write, what they answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.persons.notifying import ANSWERS, LATE_DAYS, Notice, answer_notice
from passerelle.persons.notifying import notices as notices_of
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import NOTICE_ANSWERS, RIGHTS, said

assert set(NOTICE_ANSWERS) == set(ANSWERS)  # noqa: S101 - each has its words
STATES = (("open", Text("sans réponse", "without an answer")), ("answered", Text("répondus", "answered")))
COLUMNS = (
    Column("notice", Text("avis", "notice"), "code"),
    Column("ground", Text("motif", "ground"), "words"),
    Column("recipient", Text("destinataire", "recipient")),
    Column("officer", Text("délégué", "officer"), "words"),
    Column("parcel", Text("colis", "parcel"), "code"),
    Column("made_at", Text("depuis", "since"), "moment"),
    Column("answer", Text("réponse", "answer"), "words"),
)


def every(visit: Visit) -> Response:
    """The notices, those without an answer first."""
    wanted, state = asked.text(visit, "convention"), asked.text(visit, "state")
    where = {} if wanted is None else {"convention": wanted}
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "requests_read", "notices", convention=wanted)
    with visit.workspace.database.read() as connection:
        found = [
            one
            for one in notices_of(visit.workspace, connection, **where)
            if state is None or (state == "open") == (one.row.answered_at is None)
        ]
    shown, cursor = paged(found, visit.asked("after"), visit.rows, lambda one: one.row.id)
    return visit.listing(
        Listing(
            Text("Avis aux destinataires", "Notices to recipients"),
            Text(
                "Chaque destinataire d'une donnée effacée, rectifiée ou limitée doit en être avisé, sauf impossibilité ou effort disproportionné (RGPD, art. 19).",
                "Each recipient of data that were erased, rectified or restricted must be told, unless impossible or disproportionate (GDPR art. 19).",
            ),
            COLUMNS, [_row(visit, one) for one in shown],
            Text("Aucun avis. Un effacement en ouvre un pour chaque destinataire.", "No notice. An erasure opens one for each recipient."),
            (Filter("convention", Text("Convention", "Convention")), Filter("state", Text("État", "State"), "choice", STATES)), cursor,
        ),
        "dpo/notices.html.jinja",
    )  # fmt: skip


def one(visit: Visit) -> Response:
    """One notice: what to write to the recipient, and the form for its answer."""
    return _one(visit)


def _one(visit: Visit, fault: PasserelleError | None = None) -> Response:
    with visit.workspace.database.read() as connection:
        found = _known(visit, connection)
    with visit.workspace.database.begin() as connection:
        visit.log(
            connection, "requests_read", found.row.id, convention=found.row.convention, partner=found.row.recipient,
            delivery=found.row.delivery,
        )  # fmt: skip
    return visit.page(
        "dpo/notice.html.jinja", 400 if fault else 200, found=found, fault=asked.fault_in_words(fault),
        ground=RIGHTS[found.row.ground], answer=_answer(found), tone=_tone(found), answers=list(NOTICE_ANSWERS.items()),
        days=LATE_DAYS,
    )  # fmt: skip


def answer(visit: Visit) -> Response:
    """Note what the recipient answered."""
    with visit.workspace.database.read() as connection:
        known = _known(visit, connection)
    try:
        answer_notice(
            visit.workspace, known.row.id, visit.given("answer"), by=visit.account.name, reason=visit.given("reason")
        )
    except (UsageError, RefusedError) as fault:
        return _one(visit, fault)
    return visit.go(visit.href("notice", notice=known.row.id), Text("Réponse enregistrée.", "Answer recorded."))


def _known(visit: Visit, connection: Connection) -> Notice:
    found = notices_of(visit.workspace, connection, id=visit.part("notice"))
    if not found:
        raise AbsentError
    return found[0]


def _answer(one: Notice) -> Text:
    late = Text("en retard", "late") if one.late else Text("attendue", "awaited")
    return said(NOTICE_ANSWERS, one.row.answer) or late


def _tone(one: Notice) -> str:
    if one.row.answer is None:
        return "bad" if one.late else ""
    return "good" if one.row.answer == "done" else "warn"


def _row(visit: Visit, one: Notice) -> dict[str, Any]:
    stated = one.route is not None and one.route.dpo != "not_stated"
    return {
        "notice": one.row.id, "notice_href": visit.href("notice", notice=one.row.id), "ground": RIGHTS[one.row.ground],
        "recipient": one.recipient_name,
        "officer": one.route.dpo if stated and one.route else Text("non indiqué", "not stated"),
        "parcel": one.row.delivery, "parcel_href": visit.href("delivery", parcel=one.row.delivery),
        "made_at": one.row.made_at, "answer": _answer(one), "answer_tone": _tone(one),
    }  # fmt: skip


WAYS = (
    Way("notices", "/persons/notices", every, DPO, logs="requests_read"),
    Way("notice", "/persons/notices/{notice}", one, DPO, logs="requests_read"),
    Way("notice.answer", "/persons/notices/{notice}", answer, DPO, "POST"),
)
