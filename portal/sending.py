"""What a party sends: files laid through the portal, what was said of them, and the verdicts on them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from passerelle.access import Look, looking
from passerelle.convention.dates import local_day
from passerelle.errors import RefusedError, UsageError
from passerelle.handover.exchange import is_period
from passerelle.handover.order import Served
from passerelle.handover.replying import report_at
from passerelle.handover.waiting import Announced, receive
from passerelle.report import Report
from passerelle.store import replies, sendings
from passerelle.store.sendings import Sending
from passerelle.workspace import Workspace
from portal import datasets
from portal.datasets import Use


def ways_to_send(workspace: Workspace, party: str) -> list[Use]:
    """The exchanges by which a party may send, under the conventions in force."""
    with workspace.database.read() as connection:
        return [use for use in datasets.uses(workspace, connection, party) if use.side == "sends"]


def lay(
    workspace: Workspace,
    party: str,
    which: tuple[str, str, str],
    blocks: Iterable[bytes],
    *,
    actor: str,
    reason: str = "",
) -> tuple[Sending, bool]:
    """Take the file of an exchange for a period as it arrives; the sending, and whether it is new.

    Raises:
        UsageError: the party sends nothing by such an exchange, or that is no period; nothing was read.
        IntakeError: the file is in none of the contract's dialects.
        RefusedError: its version's notice is over, or too many files wait.
    """
    convention, exchange, period = which
    use = next(
        (use for use in ways_to_send(workspace, party) if (use.convention, use.exchange) == (convention, exchange)),
        None,
    )
    if use is None:
        raise UsageError(
            "expected one of the exchanges by which you send", fr="il faut l'un des échanges par lesquels vous envoyez"
        )
    if not is_period(period):
        raise UsageError(
            "expected a period such as 2026, 2026-03, 2026-03-31, 2026-Q1 or 2026-S1",
            fr="une période s'écrit 2026, 2026-03, 2026-03-31, 2026-Q1 (trimestre) ou 2026-S1 (semestre)",
        )
    versions = [Served(one, one.served_until) for one in datasets.pinned(use.dataset)]
    today = local_day(workspace.now(), workspace.convention(convention).zone)
    about = Announced(convention, exchange, period, party, versions)
    return receive(workspace, about, blocks, actor=actor, today=today, reason=reason)


def own(workspace: Workspace, party: str, which: str) -> Sending | None:
    """The sending of that id when it is of ``party``; None otherwise."""
    with workspace.database.read() as connection:
        found = sendings.find(connection, which)
    return found if found is not None and found.party == party else None


def report_on(workspace: Workspace, one: Sending) -> Report | None:
    """What the run that took a sending says of it; None before, and once it went with its convention's purge."""
    if one.run is None:
        return None
    with workspace.database.read() as connection:
        found = replies.of_run(connection, one.run)
    path = None if found is None else workspace.path(report_at(found, "report.json"))
    return Report.model_validate_json(path.read_bytes()) if path is not None and path.exists() else None


def verdicts_on(workspace: Workspace, one: Sending, *, actor: str, reason: str = "") -> Path:
    """The sealed verdicts on a sending, row by row; written into the access log first.

    Raises:
        RefusedError: there are none: no key was approved to seal them to, or the rows were not judged.
    """
    look = Look(actor, "verdicts_read", one.id, reason, partner=one.party, convention=one.convention, exchange=one.exchange, run=one.run)  # fmt: skip
    with looking(workspace, look):
        with workspace.database.read() as connection:
            found = None if one.run is None else replies.of_run(connection, one.run)
        path = workspace.path(found.location) if found is not None and found.location else None
        if path is None or not path.is_file():
            raise RefusedError(
                "there are no verdicts row by row on this file",
                hint="they are sealed when its exchange runs, to the key of yours that is approved by then; the report says why there are none",
                fr="il n'y a pas de verdicts ligne par ligne sur ce fichier",
                hint_fr="ils sont scellés quand son échange a lieu, à votre clé approuvée ce jour-là ; le compte rendu dit pourquoi il n'y en a pas",
            )
        return path
