"""A dialect as a person writes it down: JSON with the settings of docs/spec/dialect.md, from a proposal or from nothing.

What is declared so is for trying a file against a contract; what an exchange takes stands in the contract itself.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from passerelle.contract import Contract, Dialect
from passerelle.errors import UsageError
from passerelle.intake.probe import Proposal

_SETTINGS: Final = {one.name for one in fields(Dialect)}
_DATE: Final = re.compile(r"(?:%[Ymd]|[^%])*")
_MEANT: Final = "proposed"
_NO_OBJECT: Final = (
    "no JSON object in which each name stands once",
    "pas d'objet JSON où chaque nom ne figure qu'une fois",
)
_HINT: Final = "passerelle contract probe FILE --out DIALECT writes one; its settings are in docs/spec/dialect.md"
_HINT_FR: Final = (
    "passerelle contract probe FILE --out DIALECT en écrit un ; ses réglages sont dans docs/spec/dialect.md"
)


def declaration(proposal: Proposal, contract: Contract | None = None) -> dict[str, Any]:
    """The settings of ``proposal`` with its columns: those that ``contract`` knows by that name are read, the others dropped.

    Raises:
        UsageError: two columns of the file have one name, or its columns have none that could be declared.
    """
    header = proposal.settings.get("header", True)
    names = [str(one.place) if one.name is None or not header else one.name for one in proposal.columns]
    if len(set(names)) < len(names) or (header and any(one.name is None for one in proposal.columns)):
        raise UsageError(
            "expected a header that names each column once, came names that repeat another, or fewer or more than columns",
            hint="ask the sender for a header that names each column once",
            fr="l'en-tête doit nommer chaque colonne une fois : des noms se répètent, ou il y en a plus ou moins que de colonnes",
            hint_fr="demandez à l'expéditeur un en-tête qui nomme chaque colonne une fois",
        )
    known = {} if contract is None else _known(contract)
    columns: dict[str, str | None] = {}
    taken: set[str] = set()
    for name in names:
        target = known.get(_bare(name))
        columns[name] = None if target in taken else target
        taken |= {target} - {None} if target else set()
    days = [columns[names[place - 1]] for place in proposal.days]
    lists = {columns[name]: mark for name, (mark, _) in proposal.lists.items() if columns[name] is not None}
    if contract is not None and proposal.settings["format"] in {"csv", "xlsx"}:
        lists = _joined(columns, proposal, contract)
    columns = _parted(columns, proposal)
    settings = {**proposal.settings, **proposal.named}
    if "optional" in settings:
        settings["optional"] = [name for name in settings["optional"] if name in columns]
    if read := [name for name in days if name is not None]:
        settings["serial_dates"] = read
    if lists:
        settings["multivalue"] = lists
    return {"id": _MEANT, "sender": _MEANT, **settings, "columns": columns}


def _joined(columns: Mapping[str, str | None], proposal: Proposal, contract: Contract) -> dict[str | None, str]:
    """The marks in cells of the columns that are lists where the contract's senders write them."""
    marks = {name: mark for one in contract.dialects for name, mark in one.multivalue.items()}
    return {
        target: proposal.joined.get(place, marks[target])
        for place, target in enumerate(columns.values(), 1)
        if target in marks
    }


def _known(contract: Contract) -> dict[str, str]:
    """The contract's columns by what they are called: by the contract, and in the files of senders that it knows."""
    senders = {_bare(name): target for one in contract.dialects for name, target in one.columns.items() if target}
    return senders | {_bare(column.name): column.name for column in contract.columns}


def _bare(name: str) -> str:
    """A name without accents, case and what is neither letter nor digit."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _parted(columns: Mapping[str, str | None], proposal: Proposal) -> dict[str, str | None]:
    """The columns, where a list of which nothing is read is dropped whole."""
    read = [
        proposal.lists[name][1] for name, target in columns.items() if target is not None and name in proposal.lists
    ]
    kept: dict[str, str | None] = {}
    for name, target in columns.items():
        place = proposal.lists[name][1] if name in proposal.lists else name
        whole = target is None and not any(one == place or one.startswith(f"{place}/") for one in read)
        kept[place if whole else name] = target
    return kept


def declared(text: bytes, contract: Contract) -> Dialect:
    """The dialect that ``text`` declares for files of ``contract``, every setting known and of its type.

    Raises:
        UsageError: it is not JSON, a setting is unknown, missing or not what it should be, or no column of the contract is read.
    """
    dialect = _dialect(text)
    read = {target for target in dialect.columns.values() if target is not None}
    strange = len(read - {column.name for column in contract.columns})
    if read and not strange:
        return dialect
    came = f"{strange} that it does not have" if strange else "none"
    raise UsageError(
        f"expected columns of the contract in columns, came {came}",
        hint="give each name of the file the contract's column that it is, or null: passerelle contract show",
        fr=f"columns doit donner des colonnes du contrat : {f'{strange} lui sont inconnues' if strange else 'aucune ne vient'}",
        hint_fr="donnez à chaque nom du fichier la colonne du contrat qui est la sienne, ou null : passerelle contract show",
    )


def _dialect(text: bytes) -> Dialect:
    try:
        value = json.loads(text, object_pairs_hook=_once)
        if isinstance(value, dict) and set(value) <= _SETTINGS:
            dialect = TypeAdapter(Dialect).validate_json(json.dumps(value), strict=True)
            if all(_is_day(one) for one in dialect.date_formats):
                return dialect
            faults = ("date_formats", "date_formats")
        else:
            faults = _strange(set(value) - _SETTINGS) if isinstance(value, dict) else _NO_OBJECT
    except ValidationError as error:
        names = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False)}))
        faults = (names, names)
    except (ValueError, RecursionError):
        faults = _NO_OBJECT
    raise UsageError(
        f"expected the settings of a dialect, came something else: {faults[0]}",
        hint=_HINT,
        fr=f"il faut les réglages d'un dialecte ; à revoir : {faults[1]}",
        hint_fr=_HINT_FR,
    )


def _strange(names: Collection[str]) -> tuple[str, str]:
    """How many members are no setting, and what they may stand for; never what they are, for any file may come here."""
    count, s = len(names), "s" if len(names) > 1 else ""
    near = ", ".join(sorted({one for name in names for one in get_close_matches(name, _SETTINGS, 1, 0.8)}))
    english, french = (f" (meant: {near}?)", f" (s'agit-il de : {near} ?)") if near else ("", "")
    return f"{count} unknown setting{s}{english}", f"{count} réglage{s} inconnu{s}{french}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _is_day(pattern: str) -> bool:
    return bool(_DATE.fullmatch(pattern)) and all(pattern.count(part) == 1 for part in ("%Y", "%m", "%d"))
