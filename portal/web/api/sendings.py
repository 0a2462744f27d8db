"""Files that a party sends: laid as they arrive, what the check said, what became of them, their verdicts."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from passerelle.store import sendings
from portal import sending as acts
from portal.render import Text
from portal.web.api import problems
from portal.web.api.calls import ROOT, Asked, Call
from portal.web.api.models import Checked, Laid, Sending, SendingOf, SendingPage, SendingQuery, WholeSending
from portal.web.api.problems import problem
from portal.web.arriving import UnreadError, blocks_of, of_the_same
from portal.web.guard import AT_ONCE_SECONDS
from portal.web.leaving import Leaving
from portal.web.visit import AbsentError

SENDINGS_A_MINUTE = 20


def every(asked: Asked) -> SendingPage:
    """The party's sendings, the latest first."""
    query = asked.asks(SendingQuery)
    with asked.workspace.database.begin() as connection:
        asked.log(connection, "sendings_read", "sendings", partner=asked.party)
    with asked.workspace.database.read() as connection:
        after = query.after if query.after and acts.own(asked.workspace, asked.party, query.after) else None
        found = sendings.of(connection, asked.party, limit=query.limit + 1, after=after)
    shown = found[: query.limit]
    return SendingPage(
        items=[Sending(**_facts(one)) for one in shown], next=shown[-1].id if len(found) > len(shown) else None
    )


def one(asked: Asked) -> WholeSending:
    """One sending with the report of its run."""
    found = _own(asked)
    with asked.workspace.database.begin() as connection:
        asked.log(connection, "sendings_read", found.id, partner=found.party, convention=found.convention, exchange=found.exchange, run=found.run)  # fmt: skip
    report = acts.report_on(asked.workspace, found)
    return WholeSending(**_facts(found), report=None if report is None else report.model_dump(mode="json"))


def verdicts(asked: Asked) -> Leaving:
    """The sealed verdicts, row by row."""
    path = acts.verdicts_on(asked.workspace, _own(asked), actor=asked.account.name, reason=asked.why)
    asked.logged.add("verdicts_read")
    return Leaving(path, media_type="application/x-tar", filename=path.name)


def lay(asked: Asked) -> Laid | Response:
    """Take a file as it arrives; the same content for the same period is taken once."""
    query = asked.asks(SendingOf)
    which = (query.convention, query.exchange, query.period)
    try:
        with asked.request.app.state.slots.one(asked.party):
            blocks = of_the_same(blocks_of(asked.request), asked.workspace, asked.account)
            found, new = acts.lay(
                asked.workspace, asked.party, which, blocks, actor=asked.account.name, reason=asked.why
            )
    except UnreadError as fault:
        waits = {"Retry-After": str(AT_ONCE_SECONDS)} if fault.status == 429 else None  # noqa: PLR2004 - too many at once
        return problem(problems.BY_STATUS[fault.status], asked.lang, headers=waits)
    return Laid(**_facts(found), new=new)


def _own(asked: Asked) -> sendings.Sending:
    found = acts.own(asked.workspace, asked.party, asked.part("sending"))
    if found is None:
        raise AbsentError
    return found


def _facts(one: sendings.Sending) -> dict[str, Any]:
    checked = {name: one.checked[name] for name in Checked.model_fields}
    return {
        "sending": one.id, "convention": one.convention, "exchange": one.exchange, "period": one.period, "bytes": one.bytes,
        "received_at": one.received_at, "state": one.state, "reason": one.reason, "checked": checked,
    }  # fmt: skip


CALLS = (
    Call("sendings", f"{ROOT}/sendings", every, "read", SendingPage, Text("Les fichiers que vous avez envoyés, les plus récents d'abord", "The files that you sent, the latest first"), query=SendingQuery, logs="sendings_read"),
    Call("send", f"{ROOT}/sendings", lay, "send", Laid, Text("Envoyer un fichier ; il est chiffré et contrôlé à son arrivée", "Send a file; it is encrypted and checked as it arrives"), "POST", query=SendingOf, streams=True, per_minute=SENDINGS_A_MINUTE, refuses=(408, 409, 413, 422)),
    Call("sending", f"{ROOT}/sendings/{{sending}}", one, "read", WholeSending, Text("Un fichier envoyé, et ce qu'il en est advenu", "One file that you sent, and what became of it"), logs="sendings_read"),
    Call("verdicts", f"{ROOT}/sendings/{{sending}}/verdicts", verdicts, "read", ("application/x-tar",), Text("Les verdicts ligne par ligne, scellés à votre clé", "The verdicts row by row, sealed to your key"), logs="verdicts_read", refuses=(409,), ranges=True),
)  # fmt: skip
