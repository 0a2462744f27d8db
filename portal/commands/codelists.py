"""contract codes: the editions of public code lists that profiles are held against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passerelle.errors import IntakeError, UsageError
from portal.context import JsonFlag, opened, regular, screen
from portal.render import Text, Tone

if TYPE_CHECKING:
    from passerelle.profile import Edition


def attach(contract: typer.Typer) -> None:
    """Add this command to the group of data contracts."""
    contract.command("codes")(codes)


def codes(
    add: Annotated[Path | None, typer.Option("--add", help="CSV of code, or of code;replaced_by (UTF-8, ;).")] = None,
    name: Annotated[str, typer.Option("--list", help="The list's name, as contract show gives it.")] = "",
    version: Annotated[str, typer.Option("--edition", help="The edition that the file is of.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Show the editions of code lists on file, and which the contracts declare; with --add, keep one."""
    from contracts.registry import contracts
    from passerelle.profile import read_editions

    declared = {(one.codes.name, one.codes.version) for of in contracts() for one in of.columns if one.codes}
    out = screen(as_json=as_json)
    with opened() as workspace:
        folder = workspace.home / "codes"
        if add is not None:
            _keep(folder, _edition(regular(add, "--add"), name, version, {known for known, _ in declared}))
        editions = {(one.name, one.version): one for one in read_editions(folder)}
    rows = [
        {
            "list": key[0],
            "edition": key[1],
            "declared": key in declared,
            "codes": len(editions[key].codes) if key in editions else None,
            "replaced": len(editions[key].replaced) if key in editions else None,
        }
        for key in sorted(declared | editions.keys())
    ]
    out.answer(rows, lambda: out.table(_TITLES, [(r["list"], r["edition"], _count(r["codes"]), _count(r["replaced"])) for r in rows]))  # fmt: skip
    if add is not None and not as_json:
        out.say(Text("Édition enregistrée.", "Edition kept."), Tone.DONE)


_TITLES = [
    Text("liste", "list"),
    Text("édition", "edition"),
    Text("codes au dossier", "codes on file"),
    Text("codes remplacés", "codes replaced"),
]


def _count(number: object) -> str:
    return "–" if number is None else str(number)


def _edition(path: Path, name: str, version: str, known: set[str]) -> Edition:
    from passerelle.contract import Dialect
    from passerelle.intake import open_source
    from passerelle.profile import Edition

    if name not in known or not version:
        raise UsageError(
            "expected --list with the name of a declared list, and --edition",
            hint=f"lists: {'; '.join(sorted(known))}",
            fr="il faut --list avec le nom d'une liste déclarée, et --edition",
            hint_fr=f"listes : {' ; '.join(sorted(known))}",
        )
    forms = [
        Dialect("codes", "operator", {"code": "code"}),
        Dialect("codes-replaced", "operator", {"code": "code", "replaced_by": "replaced_by"}),
    ]
    found: dict[str, str | None] = {}
    with open_source(path, forms) as source:
        for batch in source.batches():
            rows = batch.rows.to_pydict()
            found |= dict(zip(rows["code"], rows.get("replaced_by", [None] * batch.rows.num_rows), strict=True))
    replaced = {code: after for code, after in found.items() if after}
    current = frozenset(found.keys() - replaced.keys())
    if None in found or not current or not current.issuperset(replaced.values()):
        raise IntakeError(
            "expected a code in each row, and replacements that are codes of the file",
            where="--add",
            hint="docs/spec/codes.md has the format",
            fr="il faut un code par ligne, et des remplaçants qui soient des codes du fichier",
            hint_fr="le format est décrit dans docs/spec/codes.md",
        )
    return Edition(name, version, current, replaced)


def _keep(folder: Path, edition: Edition) -> None:
    """Write the edition's file; one of the same edition is replaced."""
    import hashlib

    from passerelle.profile.editions import as_json as written
    from passerelle.workspace.files import write_whole

    folder.mkdir(mode=0o700, exist_ok=True)
    key = hashlib.sha256(f"{edition.name}\n{edition.version}".encode()).hexdigest()[:16]
    write_whole(folder / f"{key}.json", json.dumps(written(edition), ensure_ascii=False).encode())
