"""Write a bundle: a folder beside its place, signed, then told in the access log and in the trail, then put in its place."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from passerelle.access import Look, write_in
from passerelle.errors import TrailError, UsageError
from passerelle.keys import BUNDLE_NAMESPACE
from passerelle.parcel import sign
from passerelle.trail import Checkpoint
from passerelle.trail.tiles import export
from passerelle.workspace import Workspace
from passerelle.workspace.files import sync_folder
from retention.bundle.entries import Prover, Shown, entries_about
from retention.bundle.evidence import Evidence, Options, gathered, held_heads, parties_of, pieces

TRIES = 5  # at a head that covers the whole trail, while others write
CHUNK = 1 << 20
_OWN = re.compile(r"^from retention\.bundle\.proving import \([^)]*\)\n|^from __future__ .*\n", re.MULTILINE)
_ENDING = '\n\nif __name__ == "__main__":\n    sys.exit(main(sys.argv[1:]))\n'

Pages = Callable[[Evidence], Mapping[str, bytes]]
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was written; ``sha256`` is that of its SHA256SUMS, which the trail has too."""

    convention: str
    folder: Path
    sha256: str
    files: int
    bytes: int
    entries: int
    trail_size: int
    whole_trail: bool
    names: bool
    made_at: str

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {**asdict(self), "folder": str(self.folder)}


def checker() -> bytes:
    """The script that checks a bundle, in one file that needs Python alone."""
    proving, checks = (
        files("retention.bundle").joinpath(name).read_text("utf-8") for name in ("proving.py", "checks.py")
    )
    return (proving + "\n\n" + _OWN.sub("", checks).rstrip() + _ENDING).encode()


def write_bundle(
    workspace: Workspace, convention_id: str, out: Path, *, look: Look, pages: Pages, options: Options, told: Told
) -> Bundle:
    """Write the bundle of ``convention_id`` into the new folder ``out``.

        1. Sign a head that covers the whole trail.
        2. In one view, write evidence, pieces, proofs and pages into a folder beside ``out``.
        3. List every file with its hash, and sign the list.
        4. Tell it in the access log and in the trail, in one transaction.
        5. Put the folder in its place.

    Raises:
        UsageError: no such convention, or ``out`` is there already or cannot be written.
        TrailError: the trail does not hold, or others write faster than a head can be signed.
    """
    text = workspace.convention(convention_id)
    beside = _beside(out)
    try:
        for _ in range(TRIES):
            head = _signed(workspace)  # 1
            with workspace.database.read() as connection:
                if workspace.ledger.size(connection) == head.size:
                    told("evidence")
                    parties = parties_of(connection, text)
                    shown = list(entries_about(connection, text.id, parties, head.size))
                    evidence = gathered(workspace, connection, text.id, head, shown, options=options)
                    _write(workspace, connection, beside, evidence, head, told=told)  # 2
                    break
        else:
            raise TrailError("others write faster than a head is signed", where="trail", hint="try again in a moment")
        told("pages")
        for name, data in pages(evidence).items():
            _put(beside / name, data)
        told("sums")
        done = _sealed(workspace, beside, out, evidence)  # 3
        _tell(workspace, look, done)  # 4
        beside.rename(out)  # 5
        sync_folder(out.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return done


def _beside(out: Path) -> Path:
    """An empty folder beside ``out``, which MUST NOT be there yet, or be empty."""
    failed = False
    beside = out.with_name(f".{out.name}.part")
    try:
        taken = out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir())))
        if not taken:
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(mode=0o700)
    except (OSError, ValueError):
        failed, taken = True, False
    if taken:
        raise UsageError(
            "--out: there is something at this place already",
            hint="name a folder that is not there yet",
            fr="--out : il y a déjà quelque chose à cet endroit",
            hint_fr="nommez un dossier qui n'existe pas encore",
        )
    if failed:
        raise UsageError(
            "--out: the folder cannot be made there",
            hint="check the place, its rights and its room",
            fr="--out : impossible de créer le dossier à cet endroit",
            hint_fr="vérifiez l'emplacement, ses droits et sa place",
        )
    return beside


def _signed(workspace: Workspace) -> Checkpoint:
    with workspace.database.begin() as connection:
        workspace.ledger.checkpoint(connection, workspace.now())
        head = workspace.ledger.latest(connection)
    if head is None:
        raise TrailError("the trail has no signed head", where="trail", hint="passerelle trail verify")
    return head


def _write(
    workspace: Workspace, connection: Connection, folder: Path, evidence: Evidence, head: Checkpoint, *, told: Told
) -> None:
    _put(folder / "bundle.json", _json(evidence.about))
    for name, document in evidence.documents.items():
        _put(folder / f"evidence/{name}.json", _json(document))
    for name, data in pieces(workspace, connection, evidence.about["convention"]):
        _put(folder / name, data)
    told("proofs")
    prover = Prover(connection, head)
    _put_lines(folder / "evidence/entries.jsonl", (one.line() for one in evidence.entries))
    for one in evidence.entries:
        _put(folder / proof_path(one), prover.proof(one))
    indexes = [one.index for one in evidence.entries]
    _put_lines(
        folder / "trail/heads.jsonl", prover.heads(indexes, held_heads(connection, evidence.about["convention"]))
    )
    told("trail")
    if evidence.about["whole_trail"]:
        export(connection, head, folder / "trail")
    else:
        _put(folder / "trail/checkpoint", head.note.encode())
    _put(folder / "trust/allowed_signers", workspace.keys.allowed_signers.encode())
    _put(folder / "trust/trail.vkey", (workspace.ledger.verifier_key + "\n").encode())
    _put(folder / "verify.py", checker())


def proof_path(one: Shown) -> str:
    """Where the proof of an entry stands: a folder for each thousand."""
    return f"trail/proofs/{one.index // 1000:04d}/{one.index:06d}.tlog-proof"


def _sealed(workspace: Workspace, folder: Path, out: Path, evidence: Evidence) -> Bundle:
    """List every file with its hash as ``sha256sum`` does, and sign the list."""
    lines, size = [], 0
    for path in sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda one: one.relative_to(folder).as_posix()
    ):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        lines.append(f"{digest.hexdigest()}  {path.relative_to(folder).as_posix()}\n")
        size += path.stat().st_size
    sums = "".join(lines).encode()
    _put(folder / "SHA256SUMS", sums)
    _put(folder / "SHA256SUMS.sig", sign(sums, workspace.keys.signing_key, BUNDLE_NAMESPACE))
    about = evidence.about
    return Bundle(
        about["convention"], out, hashlib.sha256(sums).hexdigest(), len(lines), size, len(evidence.entries),
        about["trail"]["size"], about["whole_trail"], about["names"], about["made_at"],
    )  # fmt: skip


def _tell(workspace: Workspace, look: Look, done: Bundle) -> None:
    with workspace.database.begin() as connection:
        write_in(connection, workspace, look)
        body = {
            "convention": done.convention,
            "bundle_sha256": done.sha256,
            "size": done.trail_size,
            "entries": done.entries,
            "names": done.names,
            "whole_trail": done.whole_trail,
        }
        workspace.append(connection, "bundle_exported", body)
        workspace.ledger.checkpoint(connection, workspace.now())


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _put(path: Path, data: bytes) -> None:
    _put_lines(path, (data,))


def _put_lines(path: Path, lines: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(descriptor)
