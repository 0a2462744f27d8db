"""Make a convention's data go: idempotent stages, their state in the database, the certificate last.

Keys go first: from then on every copy is shut, wherever it is, and what follows frees places and clears names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from passerelle.canonical import canonical
from passerelle.errors import KeyStoreError, OurWayError, RefusedError
from passerelle.handover.job import erase_copy
from passerelle.handover.recover import recover
from passerelle.handover.witnesses import insist_on_witnesses
from passerelle.keys import CERTIFICATE_NAMESPACE
from passerelle.parcel import sign
from passerelle.store import holdings, objections, purges, replies, runs
from passerelle.store.purges import Purge
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables
from passerelle.workspace.files import erase
from retention.certificate import certificate
from retention.plan import Plan, plan

BATCH = 500  # copies told in one trail entry

Told = Callable[[str], None]


def _quiet(_stage: str) -> None:
    """Report to nobody."""


def purge(workspace: Workspace, convention_id: str, told: Told = _quiet) -> Purge:
    """Destroy what is held under a convention.

        1. Plan, and write the plan down.
        2. Destroy the convention's keys.
        3. Remove every registered copy.
        4. Remove what the tables kept of its runs, and clear the database's files.
        5. Rotate the root key, so that a restored backup opens nothing of it.
        6. Read every place again.
        7. Write the certificate, last.

    Raises:
        RefusedError: the deadline has not come, or a reading is disputed, or nothing is held.
        OurWayError: something could not be destroyed; the purge stays open and resumes when run again.
    """
    with ExitStack() as locks:
        locks.enter_context(workspace.lock(f"{convention_id}.purge"))
        for exchange in workspace.convention(convention_id).exchanges:
            locks.enter_context(workspace.lock(f"{convention_id}.{exchange.id}"))  # no exchange begins meanwhile
        _end_open_runs(workspace, convention_id)
        current = _open(workspace, convention_id)
        for stage, act in (
            ("keys", _destroy_keys),
            ("files", _remove_copies),
            ("rows", _clear_tables),
            ("rotated", _rotate_root),
        ):
            told(stage)
            if not current.reached(stage):
                act(workspace, current)
                current = _one(workspace, current.id)
        told("done")
        return _certify(workspace, current)


def _end_open_runs(workspace: Workspace, convention_id: str) -> None:
    """Finish or remove what interrupted runs left: no intent may wait for keys that are about to go."""
    with workspace.database.read() as connection:
        open_runs = runs.runs(connection, convention=convention_id, state="running")
    for exchange in sorted({run.exchange for run in open_runs}):
        recover(workspace, convention_id, exchange)


def _one(workspace: Workspace, purge_id: str) -> Purge:
    with workspace.database.read() as connection:
        return purges.purges(connection, id=purge_id)[0]


def _open(workspace: Workspace, convention_id: str) -> Purge:
    with workspace.database.begin() as connection:
        known = purges.purges(connection, convention=convention_id)
        if known and known[-1].state != "done":
            return known[-1]
        verify_tables(workspace.ledger, connection)
        planned = plan(workspace, connection, convention_id)
        _insist(planned)
        insist_on_witnesses(workspace, connection, convention_id)
        purge_id = f"{convention_id}.{len(known) + 1}"
        purges.open_purge(connection, purge_id, convention_id, planned.as_json(), at=workspace.now())
        body = {
            "convention": convention_id,
            "purge": purge_id,
            "plan_sha256": hashlib.sha256(canonical(planned.as_json())).hexdigest(),
            "holdings": len(planned.copies),
            "reason": planned.reason,
        }
        workspace.append(connection, "purge_started", body)
    return _one(workspace, purge_id)


def _insist(planned: Plan) -> None:
    if not planned.allowed:
        raise RefusedError(
            f"the purge of {planned.convention} may not run: {planned.reason} ({planned.deadline.arithmetic.en})",
            hint="passerelle purge plan shows the deadline and its arithmetic",
            fr=f"la destruction de {planned.convention} ne peut pas avoir lieu : {planned.reason} "
            f"({planned.deadline.arithmetic.fr})",
            hint_fr="passerelle purge plan donne l'échéance et son calcul",
        )
    if not planned.copies:
        raise RefusedError(
            f"nothing is held under {planned.convention}",
            hint="passerelle purge plan",
            fr=f"rien n'est détenu au titre de {planned.convention}",
        )


def _destroy_keys(workspace: Workspace, current: Purge) -> None:
    workspace.keys.destroy(current.convention)
    with workspace.database.begin() as connection:
        purges.stage(connection, current.id, "keys")
        workspace.append(connection, "keys_destroyed", {"convention": current.convention, "purge": current.id})


def _remove_copies(workspace: Workspace, current: Purge) -> None:
    with workspace.database.read() as connection:
        copies = plan(workspace, connection, current.convention).copies
    stuck = 0
    for path in _waiting(workspace, current.convention):
        try:
            erase(path)
        except OSError:
            stuck += 1
    for start in range(0, len(copies), BATCH):
        gone = []
        for copy in copies[start : start + BATCH]:
            try:
                erase_copy(workspace, copy)
                gone.append(copy.id)
            except OSError:
                stuck += 1
        with workspace.database.begin() as connection:
            holdings.destroyed(connection, gone, at=workspace.now())
            body = {"convention": current.convention, "purge": current.id, "holdings": len(gone)}
            workspace.append(connection, "holding_destroyed", body)
    if stuck:
        raise OurWayError(
            f"{stuck} files of {current.convention} could not be removed; their keys are destroyed",
            hint="make the workspace's folders writable, then run the purge again",
        )
    with workspace.database.begin() as connection:
        purges.stage(connection, current.id, "files")


def _waiting(workspace: Workspace, convention: str) -> list[Path]:
    """Files that senders laid in the inbox of a convention and that were never taken in."""
    return [path for path in (workspace.home / "inbox" / convention).rglob("*") if not path.is_dir()]


def _clear_tables(workspace: Workspace, current: Purge) -> None:
    with workspace.database.begin() as connection:
        runs.clear(connection, current.convention)
        replies.clear(connection, current.convention)
        objections.clear(connection, current.convention)
    for name in (f"{current.convention}.*", f".{current.convention}.*"):
        for report in (workspace.home / "reports").glob(name):
            erase(report)
    workspace.database.scrub()
    with workspace.database.begin() as connection:
        purges.stage(connection, current.id, "rows")


def _rotate_root(workspace: Workspace, current: Purge) -> None:
    generation = workspace.keys.rotate_root()
    with workspace.database.begin() as connection:
        purges.stage(connection, current.id, "rotated")
        workspace.append(connection, "root_rotated", {"generation": generation})


def _read_again(workspace: Workspace, current: Purge) -> None:
    with workspace.database.read() as connection:
        register = holdings.all_of(connection, current.convention)
    waiting = _waiting(workspace, current.convention)
    if waiting:
        raise OurWayError(f"{len(waiting)} files are still in the inbox after the purge", hint="run the purge again")
    left = [copy for copy in register if copy.ours and copy.kind != "index" and workspace.path(copy.location).exists()]
    if left:
        raise OurWayError(f"{len(left)} copies are still there after the purge", hint="run the purge again")
    try:
        workspace.keys.keyset(current.convention)
    except KeyStoreError:
        return
    raise OurWayError("the convention's keys still open after the purge", hint="run the purge again")


def _certify(workspace: Workspace, current: Purge) -> Purge:
    _read_again(workspace, current)
    if current.state == "done":
        return current
    with workspace.database.begin() as connection:
        register = holdings.all_of(connection, current.convention)
        body = canonical(certificate(workspace, connection, current, register))
        signature = sign(body, workspace.keys.signing_key, namespace=CERTIFICATE_NAMESPACE)
        purges.certify(connection, current.id, body.decode(), signature.decode(), at=workspace.now())
        entry = {
            "convention": current.convention,
            "purge": current.id,
            "certificate_sha256": hashlib.sha256(body).hexdigest(),
        }
        workspace.append(connection, "purge_certificate", entry)
        workspace.ledger.checkpoint(connection, workspace.now())
    return _one(workspace, current.id)
