"""Editions of public code lists with their codes, and why a code that a file brings is not in one.

A share of matched codes says nothing without the edition it was measured against and the cause of the rest: a lost leading
zero is mended by a declared repair, a code of another edition is a change of zoning or of nomenclature, and only what is left
is unknown. docs/spec/codes.md has the file format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from passerelle.contract import CodeList
from passerelle.errors import WorkspaceError

FORMAT: Final = "passerelle-codes/1"
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_CODE_CHARACTERS: Final = 64

Cause = Literal["replaced", "edition", "lost_zero", "spelling", "not_on_file", "unknown"]
"""A former code that the edition replaced; a code of another edition; one that lost its leading zeros; one in other letters or
with spaces; one that may be of the declared edition, which is not on file; none of these."""
CAUSES: Final[tuple[Cause, ...]] = ("replaced", "edition", "lost_zero", "spelling", "not_on_file", "unknown")


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a code list: its codes, and the former codes of which it says what replaced them.

    ``width`` is the length that all codes have, None where they differ.
    """

    name: str
    version: str
    codes: frozenset[str]
    replaced: Mapping[str, str] = field(default_factory=dict)
    width: int | None = field(init=False)

    def __post_init__(self) -> None:
        if not self.codes:
            raise WorkspaceError("expected at least one code in the edition", where="codes")
        widths = {len(code) for code in self.codes}
        object.__setattr__(self, "width", widths.pop() if len(widths) == 1 else None)

    def has(self, code: str) -> bool:
        """Whether ``code`` is in the edition, or is one that it replaced."""
        return code in self.codes or code in self.replaced

    def filled(self, code: str) -> str:
        """``code`` with the leading zeros that its list's width asks for, when it is digits that lack some."""
        return code.zfill(self.width) if self.width and code.isascii() and code.isdigit() else code


def cause(
    code: str, against: Edition, others: Sequence[Edition], declared: CodeList
) -> tuple[Cause, str | None] | None:
    """Why ``code`` is not in the edition ``against``, and of which edition it is; None: it is in it.

    Args:
        code: as the file has it.
        against: the edition that it is looked for in.
        others: other editions on file of the same list.
        declared: the edition that the contract names: where it is not on file, a code may be of it.
    """
    if code in against.codes:
        return None
    if code in against.replaced:
        return "replaced", against.version
    forms: tuple[tuple[str, Cause], ...] = (
        (code, "edition"),
        (against.filled(code), "lost_zero"),
        (code.strip().upper(), "spelling"),
    )
    for form, why in forms:
        if against.has(form):
            return why, against.version
        if other := next((one for one in others if one.has(form)), None):
            return "edition", other.version
    if all(one.version != declared.version for one in (against, *others)):
        return "not_on_file", declared.version
    return "unknown", None


def known(editions: Iterable[Edition], wanted: CodeList) -> list[Edition]:
    """The editions of the list ``wanted``, the wanted one first."""
    of_list = [one for one in editions if one.name == wanted.name]
    return sorted(of_list, key=lambda one: (one.version != wanted.version, one.version))


def as_json(edition: Edition) -> dict[str, Any]:
    """The edition as the JSON of its file."""
    codes = dict.fromkeys(sorted(edition.codes)) | dict(sorted(edition.replaced.items()))
    return {"format": FORMAT, "name": edition.name, "version": edition.version, "codes": codes}


def read_editions(folder: Path) -> tuple[Edition, ...]:
    """Every edition on file in ``folder`` (none where there is no such folder).

    Raises:
        WorkspaceError: a file is not of the format, or two are of one edition.
    """
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    if len({(one.name, one.version) for one in found}) < len(found):
        raise WorkspaceError(
            "two files have one edition of a code list",
            where="codes",
            hint="keep one of them",
            fr="deux fichiers ont la même édition d'une liste de codes",
            hint_fr="n'en gardez qu'un",
        )
    return tuple(found)


def _read(path: Path) -> Edition:
    try:
        edition = _parsed(path.read_bytes()) if path.stat().st_size <= MAX_FILE_BYTES else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        edition = None
    if edition is None:
        raise WorkspaceError(
            f"expected an edition of a code list ({FORMAT}), came something else",
            where=f"codes/{path.name}",
            hint="docs/spec/codes.md has the format",
            fr=f"une édition de liste de codes ({FORMAT}) était attendue",
            hint_fr="le format est décrit dans docs/spec/codes.md",
        )
    return edition


def _parsed(data: bytes) -> Edition | None:
    """The edition in a file's bytes; None, or any error of a JSON value that is of another form: there is none."""
    value = json.loads(data)
    name, version, codes = value["name"], value["version"], value["codes"]
    replaced = {code: after for code, after in codes.items() if after is not None}
    current = frozenset(codes.keys() - replaced.keys())
    sound = (
        value["format"] == FORMAT
        and all(isinstance(said, str) and said for said in (name, version))
        and all(0 < len(code) <= MAX_CODE_CHARACTERS for code in codes)
        and bool(current)
        and current.issuperset(replaced.values())
    )
    return Edition(name, version, current, replaced) if sound else None
