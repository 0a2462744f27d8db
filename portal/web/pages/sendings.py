"""What a partner sends: laying a file, what the check said of it, what became of it, its verdicts row by row."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import RefusedError, TheirDataError, UsageError
from passerelle.store import sendings
from passerelle.store.sendings import Sending
from portal import sending as acts
from portal.faults import told
from portal.render import Text
from portal.web.arriving import FormWithFile, UnreadError, of_the_same
from portal.web.guard import TOKEN_FIELD, expired, has_token, unread
from portal.web.leaving import Leaving
from portal.web.listing import Column, Listing
from portal.web.visit import AbsentError, Visit
from portal.web.ways import PARTNER, Way
from portal.words import reason

SENDINGS_A_MINUTE = 20
STATES = {
    "waiting": (Text("attend son échange", "waits for its exchange"), "warn"),
    "running": (Text("échange en cours", "exchange under way"), "warn"),
    "delivered": (Text("remis", "delivered"), "good"),
    "duplicate": (Text("déjà remis", "delivered before"), "good"),
    "refused": (Text("refusé", "refused"), "bad"),
}
COLUMNS = (
    Column("received_at", Text("reçu le", "received"), "moment"),
    Column("sending", Text("envoi", "sending"), "code"),
    Column("exchange", Text("échange", "exchange")),
    Column("period", Text("période", "period")),
    Column("bytes", Text("taille", "size"), "size"),
    Column("read", Text("lignes", "rows"), "number"),
    Column("rejected", Text("rejetées", "rejected"), "number"),
    Column("state", Text("état", "state"), "words"),
)


def every(visit: Visit) -> Response:
    """The files that the visitor's party sent, and the form that sends one."""
    return _every(visit)


def _every(visit: Visit, fault: Text | None = None, hint: Text | None = None, status: int = 200) -> Response:
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "sendings_read", "sendings", partner=visit.party)
    after = visit.asked("after")
    known = after if after and acts.own(visit.workspace, visit.party, after) else None
    with visit.workspace.database.read() as connection:
        found = sendings.of(connection, visit.party, limit=visit.rows + 1, after=known)
    shown = found[: visit.rows]
    listing = Listing(
        Text("Envois", "Sendings"),
        Text("Les fichiers que vous envoyez : chiffrés et contrôlés à leur arrivée, ils attendent leur échange.", "The files that you send: encrypted and checked as they arrive, they wait for their exchange."),
        COLUMNS, [_row(visit, one) for one in shown],
        Text("Aucun envoi. Choisissez ci-dessous l'échange, la période et le fichier.", "No sending. Choose the exchange, the period and the file below."),
        cursor=shown[-1].id if len(found) > len(shown) else None,
    )  # fmt: skip
    uses = acts.ways_to_send(visit.workspace, visit.party)
    answer = visit.listing(listing, "partner/sendings.html.jinja", uses=uses, fault=fault, hint=hint)
    answer.status_code = status
    return answer


def lay(visit: Visit) -> Response:
    """Take a file as it arrives: the token and what it is for come before it in the form."""
    if not visit.request.headers.get("content-type", "").startswith("multipart/form-data"):
        return expired(visit)
    try:
        with visit.request.app.state.slots.one(visit.party):
            form = FormWithFile(visit.request, "file")
            form.read_fields()
            if not has_token(visit, form.fields.get(TOKEN_FIELD, "")):
                return expired(visit)
            convention, _, exchange = form.fields.get("which", "").partition("/")
            which = (convention, exchange, form.fields.get("period", ""))
            found, new = acts.lay(
                visit.workspace,
                visit.party,
                which,
                of_the_same(form.content(), visit.workspace, visit.account),
                actor=visit.account.name,
            )
    except UnreadError as fault:
        return unread(visit, fault.status)
    except (UsageError, TheirDataError, RefusedError) as fault:
        hint = Text(fault.hint_fr or fault.hint or "", fault.hint or "")
        return _every(visit, Text(told(fault, "fr"), told(fault, "en")), hint, 400)
    said = Text("Fichier reçu.", "File received.")
    again = Text("Ce fichier était déjà reçu pour cette période : rien n'est envoyé deux fois.", "This file was received before for this period: nothing is sent twice.")  # fmt: skip
    return visit.go(visit.href("sending", sending=found.id), said if new else again)


def one(visit: Visit) -> Response:
    """One sending: what the check said when it came, and what its run says since."""
    found = _own(visit)
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "sendings_read", found.id, partner=found.party, convention=found.convention, exchange=found.exchange, run=found.run)  # fmt: skip
    report = acts.report_on(visit.workspace, found)
    state, tone = STATES[found.state]
    return visit.page(
        "partner/sending.html.jinja", found=found, state=state, tone=tone, why=reason(found.reason), report=report,
        sealed=report is not None and report.verdicts.parcel is not None,
    )  # fmt: skip


def verdicts(visit: Visit) -> Response:
    """The verdicts row by row, sealed to the party's key."""
    path = acts.verdicts_on(visit.workspace, _own(visit), actor=visit.account.name)
    visit.logged.add("verdicts_read")
    return Leaving(path, media_type="application/x-tar", filename=path.name)


def _own(visit: Visit) -> Sending:
    found = acts.own(visit.workspace, visit.party, visit.part("sending"))
    if found is None:
        raise AbsentError
    return found


def _row(visit: Visit, one: Sending) -> dict[str, object]:
    state, tone = STATES[one.state]
    return {
        "received_at": one.received_at, "sending": one.id, "sending_href": visit.href("sending", sending=one.id),
        "exchange": f"{one.convention}/{one.exchange}", "period": one.period, "bytes": one.bytes,
        "read": one.checked["read"], "rejected": one.checked["rejected"], "state": state, "state_tone": tone,
    }  # fmt: skip


WAYS = (
    Way("sendings", "/sendings", every, PARTNER, logs="sendings_read", navigates=("Envois", "Sendings")),
    Way("sendings.lay", "/sendings", lay, PARTNER, "POST", streams=True, per_minute=SENDINGS_A_MINUTE),
    Way("sending", "/sendings/{sending}", one, PARTNER, logs="sendings_read"),
    Way("sending.verdicts", "/sendings/{sending}/verdicts", verdicts, PARTNER, logs="verdicts_read"),
)
