"""The sender of a file is told what became of it: a report for each run, and its verdicts, sealed, in its folder.

As for a delivery: the intent into the trail, then the parcel, then the outcome. What the same content met before in the same
way is not handed back twice. Killed anywhere in between, ``resume`` goes on from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.convention import destruction_deadline
from passerelle.errors import ParcelError, PasserelleError
from passerelle.handover.decide import exchange_of
from passerelle.handover.drafting import draft
from passerelle.handover.folders import folder_of, put_in_folder
from passerelle.handover.job import Job
from passerelle.handover.verdicts import COLUMNS, staged_verdicts, verdicts_id
from passerelle.parcel import (
    Bilingual,
    Counts,
    DecisionNote,
    DestroyBy,
    Dialect,
    Facts,
    Sealed,
    Sealer,
    Source,
    Trail,
    build_manifest,
    notice_hashes,
    notices,
    sign,
)
from passerelle.report import FORMAT, Report, as_bytes, page
from passerelle.report.words import NO_KEY, NOT_JUDGED, RETURNED_BEFORE
from passerelle.store import holdings, partners, replies
from passerelle.store.replies import Reply
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase, write_whole

TITLE = Bilingual(fr="Verdicts ligne par ligne : {}", en="Verdicts row by row: {}")
PURPOSE = Bilingual(
    fr="Dire à l'émetteur d'un fichier, ligne par ligne, ce qui a été accepté et ce qui a été rejeté, et selon quelle règle.",
    en="To tell the sender of a file, row by row, what was accepted and what was rejected, and by which rule.",
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as its sender is told; ``checks`` are those of the whole file that failed."""

    outcome: dict[str, Any]
    checks: Sequence[dict[str, Any]] = ()


def delivered(checks: Sequence[dict[str, Any]] = ()) -> Ending:
    """The accepted rows went on."""
    nothing = dict.fromkeys(("error", "message", "hint", "where"))
    return Ending({"state": "delivered", **nothing}, checks)


def refused(error: PasserelleError, checks: Sequence[dict[str, Any]] = ()) -> Ending:
    """Nothing went on, and why; the words of our own errors hold no value."""
    hint = None if error.hint is None else {"fr": error.hint_fr or error.hint, "en": error.hint}
    message = {"fr": error.fr or error.message, "en": error.message}
    outcome = {
        "state": "refused",
        "error": type(error).__name__,
        "message": message,
        "hint": hint,
        "where": error.where,
    }
    return Ending(outcome, checks)


def reply(job: Job, ending: Ending) -> None:
    """Tell the sender how a run ended."""
    with job.workspace.database.begin() as connection:
        if replies.of_run(connection, job.run) is None:
            run = (job.run, job.order.convention, job.order.exchange, job.parties.sender)
            replies.keep(connection, run, draft(job), None, at=job.workspace.now())
    tell_sender(job.workspace, job.run, ending)


def resume(workspace: Workspace, run: str, *, left: bool) -> bool:
    """Finish the reply on an interrupted run, of which parcels ``left`` or not; whether it is finished.

    A run of which nothing left is run again, so an unfinished reply on it is given up.
    """
    with workspace.database.read() as connection:
        found = replies.of_run(connection, run)
    if found is None:
        return False
    if found.state in {"draft", "sealed"} and left:
        tell_sender(workspace, run, delivered())
    elif found.state == "intent":
        _settle(workspace, found)
    return True


def tell_sender(workspace: Workspace, run: str, ending: Ending) -> None:
    """Write the report on a run, and hand back its verdicts; a reply that was given already stays as it is."""
    with workspace.database.read() as connection:
        found = replies.of_run(connection, run)
    assert found is not None  # noqa: S101 - kept before
    if found.state not in {"draft", "sealed"}:
        return
    key = _key(workspace, found, ending)
    with workspace.database.read() as connection:
        before = replies.with_key(connection, key)
    sealed = found.state == "sealed" and before is None
    report = _report(workspace, found, ending, _note(found, sealed=sealed))
    texts = {"report.json": as_bytes(report), "report.html": page(report)}
    for name, data in texts.items():
        write_whole(workspace.path(report_at(found, name)), data)
    if sealed:
        _intend(workspace, found, key, texts)
        with workspace.database.read() as connection:
            intended = replies.of_run(connection, run)
        assert intended is not None  # noqa: S101 - written just above
        _complete(workspace, intended)
    else:
        _close(workspace, found)


def report_at(found: Reply, name: str) -> str:
    """Where the report on a run lies: it goes with its convention's purge."""
    return f"reports/{found.convention}.{found.exchange}.{found.run}.{name}"


def _key(workspace: Workspace, found: Reply, ending: Ending) -> str:
    """What is handed back once: the same content that met the same end."""
    ends = [ending.outcome["state"], ending.outcome["message"], [check["id"] for check in ending.checks]]
    return workspace.keyset(found.convention).commit(canonical([found.draft["key"], ends]))


def _note(found: Reply, *, sealed: bool) -> dict[str, Any]:
    if sealed:
        return {"state": "sealed", "parcel": verdicts_id(found.run), "reason": None, "hint": None}
    reason, hint = "no_approved_key", NO_KEY
    if found.state == "sealed":
        reason, hint = "returned_before", RETURNED_BEFORE
    elif found.draft["report"]["counts"] is None:
        reason, hint = "rows_not_judged", NOT_JUDGED
    return {"state": "none", "parcel": None, "reason": reason, "hint": hint.model_dump()}


def _report(workspace: Workspace, found: Reply, ending: Ending, note: dict[str, Any]) -> Report:
    value = {
        "format": FORMAT,
        "run": found.run,
        "written_at": iso(workspace.now()),
        "convention": found.convention,
        "exchange": found.exchange,
        "sender": found.sender,
        **found.draft["report"],
        "outcome": ending.outcome,
        "checks": list(ending.checks),
        "verdicts": note,
    }
    return Report.model_validate_json(json.dumps(value))


def _intend(workspace: Workspace, found: Reply, key: str, reports: dict[str, bytes]) -> None:
    """Number, build and write the manifest; the trail tells of it in the same transaction."""
    sealed, created = _sealed(found)
    with workspace.database.begin() as connection:
        sequence = replies.next_sequence(connection, found.convention, found.exchange, found.sender)
        facts = _facts(workspace, connection, found, sequence, created)
        texts = {**notices(facts, sealed), **reports}
        manifest = build_manifest(facts, sealed, notice_hashes(texts))
        digest = hashlib.sha256(manifest).hexdigest()
        body = {**_named(found), "manifest_sha256": digest, "sequence": sequence, "counts": _counts(found)}
        entry = workspace.append(connection, "verdicts_intent", body)
        workspace.ledger.checkpoint(connection, workspace.now())
        replies.change(
            connection, found.run, state="intent", parcel=facts.parcel, key=key, sequence=sequence, manifest=manifest,
            texts=json.dumps({name: text.decode() for name, text in texts.items()}), manifest_sha256=digest, entry=entry,
        )  # fmt: skip


def _named(found: Reply) -> dict[str, Any]:
    return {
        "run": found.run,
        "parcel": verdicts_id(found.run),
        "recipient": found.sender,
        "convention": found.convention,
        "exchange": found.exchange,
    }


def _counts(found: Reply) -> dict[str, int]:
    counts: dict[str, int] = found.draft["report"]["counts"]
    return counts


def _sealed(found: Reply) -> tuple[Sealed, datetime]:
    value = dict(found.sealed or {})
    created = datetime.fromtimestamp(value.pop("created"), UTC)
    return Sealed.from_json(value), created


def _facts(workspace: Workspace, connection: Connection, found: Reply, sequence: int, created: datetime) -> Facts:
    text = workspace.convention(found.convention)
    exchange = exchange_of(text, found.exchange)
    told, counts = found.draft["report"], _counts(found)
    deadline = destruction_deadline(text, workspace.history(connection, found.convention), workspace.now())
    return Facts(
        parcel=verdicts_id(found.run),
        created=created,
        title=Bilingual(fr=TITLE.fr.format(told["title"]["fr"]), en=TITLE.en.format(told["title"]["en"])),
        sources=[Source(title=workspace.origin)],
        columns=COLUMNS,
        convention=found.convention,
        convention_sha256=found.draft["convention_sha256"],
        exchange=found.exchange,
        article=told["article"] or (exchange.article if exchange else None) or "–",
        purpose=PURPOSE,
        period=told["period"],
        contract=told["contract"]["id"].replace("_", "-"),
        contract_version=told["contract"]["version"],
        sender=found.sender,
        recipient=found.sender,
        sequence=sequence,
        counts=Counts(**counts, extracted=counts["read"]),
        decision=DecisionNote(**found.draft["decision"]),
        destroy_by=DestroyBy(
            date=deadline.value.isoformat() if isinstance(deadline.value, date) else None,
            basis=deadline.basis,
            article=deadline.article,
            arithmetic=Bilingual(fr=deadline.arithmetic.fr or "–", en=deadline.arithmetic.en or "–"),
        ),
        spreadsheet_formulas=False,
        trail=Trail(origin=workspace.origin),
        dialect=Dialect(delimiter=",", lineTerminator="\r\n", quoteChar='"', doubleQuote=True, header=True),
        rehearsal=workspace.rehearsal,
    )


def _settle(workspace: Workspace, found: Reply) -> None:
    """Go on from an intent: the parcel lies in its folder, or its sealed bytes are whole, or it is given up."""
    arrived = folder_of(workspace, found.sender) / f"{found.parcel}.tar"
    if arrived.exists() or _taken(workspace, found):
        _arrive(workspace, found, arrived)
        return
    try:
        _complete(workspace, found)
    except ParcelError:
        _give_up(workspace, found)


def _taken(workspace: Workspace, found: Reply) -> bool:
    """Whether a sender took its parcel before the outcome was written: it can only from a folder of its own."""
    with workspace.database.read() as connection:
        partner = partners.find(connection, found.sender)
        registered = holdings.present(connection, location=staged_verdicts(found.run))
    staged = workspace.path(staged_verdicts(found.run))
    lies = staged.exists() or staged.with_name(f"{staged.name}.part").exists()
    return bool(partner and partner.folder and registered and not lies)


def _complete(workspace: Workspace, found: Reply) -> None:
    sealed, created = _sealed(found)
    sealer = Sealer.resume(workspace.path(staged_verdicts(found.run)), created, sealed)
    with workspace.database.read() as connection:
        proof = workspace.ledger.prove(connection, found.entry or 0)
    manifest = found.manifest or b""
    texts = {name: text.encode() for name, text in json.loads(found.texts or "{}").items()}
    staged = sealer.finish(manifest, sign(manifest, workspace.keys.signing_key), proof, texts)
    _arrive(workspace, found, put_in_folder(staged, folder_of(workspace, found.sender)))


def _arrive(workspace: Workspace, found: Reply, arrived: Path) -> None:
    location, staged = workspace.location(arrived), staged_verdicts(found.run)
    size = arrived.stat().st_size if arrived.exists() else None
    with workspace.database.begin() as connection:
        if replies.returned(connection, found.run, location, at=workspace.now()):
            ours = not Path(location).is_absolute()
            holdings.move(connection, staged, location, kind="verdicts", ours=ours, size=size)
            body = {**_named(found), "manifest_sha256": found.manifest_sha256, "counts": _counts(found)}
            workspace.append(connection, "verdicts_returned", body)
            workspace.ledger.checkpoint(connection, workspace.now())
    erase(workspace.path(staged))


def _give_up(workspace: Workspace, found: Reply) -> None:
    """Take back an intent whose sealed bytes are not whole: its number goes to the next; the trail tells of both."""
    with workspace.database.begin() as connection:
        replies.change(connection, found.run, state="told", key=None, sequence=None, manifest=None, texts=None)
        workspace.append(connection, "verdicts_abandoned", {**_named(found), "reason": "verdicts_not_whole"})
        workspace.ledger.checkpoint(connection, workspace.now())


def _close(workspace: Workspace, found: Reply) -> None:
    """The report is all there is to tell."""
    staged = workspace.path(staged_verdicts(found.run))
    erase(staged.with_name(f"{staged.name}.part"))
    with workspace.database.begin() as connection:
        copies = holdings.present(connection, location=staged_verdicts(found.run))
        holdings.destroyed(connection, [copy.id for copy in copies], at=workspace.now())
        replies.change(connection, found.run, state="told")
