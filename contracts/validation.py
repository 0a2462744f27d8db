"""The question "is this valid?" of one exchange: rows as JSON, judged by the exchange's contract and the convention's limits.

An answer names columns, rules and row numbers (from 0), never a value, save the number that a note or a limit is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from contracts.base import DataContract
from contracts.registry import contract
from contracts.rules import BETWEEN
from passerelle.contract import Batch, Dialect, Failure, Judgement
from passerelle.convention import Event
from passerelle.convention.model import Convention, Exchange
from passerelle.errors import UsageError

MAX_ROWS = 10_000
"""Of one question; a file is for ``passerelle contract check``."""

Json = Any


def validate(
    convention: Convention | None, args: Mapping[str, Json], day: date, events: Iterable[Event] = ()
) -> dict[str, Json]:
    """Whether rows, or a number of rows, may go by an exchange of ``convention``.

    Args:
        convention: whose exchange ``args["exchange"]`` names.
        args: ``row`` (one whole row, every column judged) or ``rows`` (the columns that some row has are judged, and the rows
            that break a rule are told apart: the others may go); a number under the unit that the text limits
            (``profiles``), with what it is counted for (``vacancy``).
        day: as of which the rows are judged.
        events: the convention's history, where an express request may lift the limit.

    Returns:
        ``{"valid": true}``, with ``notes`` where the contract has something to say; else ``errors`` (``column:rule``, a
        required value being ``missing``) or ``rejected_rows``.

    Raises:
        UsageError: no such exchange, an exchange that carries no rows, or nothing to judge.
    """
    exchange = _exchange(convention, args.get("exchange"))
    errors = _over_limit(exchange, args, tuple(events))
    if "rows" in args:
        return _rows(_contract(exchange), _listed(args["rows"]), day, errors)
    notes: list[str] = []
    if "row" in args:
        judging = _contract(exchange)
        [row] = _listed([args["row"]])
        judged = _judged(judging, [row], day, [column.name for column in judging.columns])
        errors += [_said(failure) for failure in judged.failures]
        notes = _notes(judging, judged.accepted)
    elif exchange.cardinality is None or exchange.cardinality.unit not in args:
        raise UsageError(
            "expected a row, rows, or a number that the exchange limits",
            hint="give --args a key row or rows",
            fr="il faut une ligne (row), des lignes (rows) ou un nombre que l'échange limite",
        )
    if errors:
        return {"valid": False, "errors": errors}
    return {"valid": True, "notes": notes} if notes else {"valid": True}


def _exchange(convention: Convention | None, wanted: Json) -> Exchange:
    if convention is None:
        raise UsageError(
            "expected a convention, whose exchange it is", fr="il faut une convention, dont c'est l'échange"
        )
    known = {exchange.id: exchange for exchange in convention.exchanges}
    if not isinstance(wanted, str) or wanted not in known:
        raise UsageError(
            f"expected an exchange of {convention.id}",
            hint=f"exchanges: {', '.join(known)}",
            fr=f"il faut un échange de {convention.id}",
            hint_fr=f"échanges : {', '.join(known)}",
        )
    return known[wanted]


def _contract(exchange: Exchange) -> DataContract:
    if exchange.handling is None:
        raise UsageError(
            f"no data contract is bound to {exchange.id}", fr=f"aucun contrat de données n'est lié à {exchange.id}"
        )
    return contract(exchange.handling.contract)


def _listed(rows: Json) -> list[Mapping[str, Json]]:
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError("expected rows as JSON objects", fr="il faut des lignes en objets JSON")
    if not 0 < len(rows) <= MAX_ROWS:
        raise UsageError(f"expected 1 to {MAX_ROWS} rows", fr=f"il faut de 1 à {MAX_ROWS} lignes")
    return list(rows)


def _rows(judging: DataContract, rows: list[Mapping[str, Json]], day: date, errors: list[str]) -> dict[str, Json]:
    given = {name for row in rows for name in row}
    judged = _judged(judging, rows, day, [column.name for column in judging.columns if column.name in given])
    rejected = sorted({int(row) for failure in judged.failures if failure.column in given for row in failure.rows})
    if not rejected and not errors:
        return {"valid": True}
    return {
        "valid": False,
        **({"errors": errors} if errors else {}),
        **({"rejected_rows": rejected} if rejected else {}),
    }


def _judged(judging: DataContract, rows: list[Mapping[str, Json]], day: date, columns: list[str]) -> Judgement:
    known = {column.name for column in judging.columns}
    if strange := sorted({name for row in rows for name in row} - known):
        raise UsageError(
            f"the rows have {len(strange)} columns that {judging.id} does not name",
            hint=f"columns: {', '.join(column.name for column in judging.columns)}",
            fr=f"les lignes ont {len(strange)} colonnes que {judging.id} ne nomme pas",
        )
    table = pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in columns})
    lists = {column.name: BETWEEN for column in judging.columns if column.many}
    dialect = Dialect("json", "json", {name: name for name in columns}, multivalue=lists)
    return judging.judge(Batch(table, first_row=0), dialect, day)


def _text(value: Json) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise UsageError(
        "expected a text, a number, yes or no, or null as a value", fr="une valeur est d'un type inattendu"
    )


def _said(failure: Failure) -> str:
    return f"{failure.column}:{'missing' if failure.rule == 'required' else failure.rule}"


def _notes(judging: DataContract, accepted: pa.Table) -> list[str]:
    """What the contract's notes say of one accepted row."""
    said = []
    for note in judging.notes:
        value = accepted[note.column][0].as_py() if accepted.num_rows else None
        if value is not None and value <= note.at_most:
            said.append(f"{note.id}:{note.says.format(value)}")
    return said


def _over_limit(exchange: Exchange, args: Mapping[str, Json], events: tuple[Event, ...]) -> list[str]:
    """More units than the text allows, unless an express request on record lifts the limit."""
    limit = exchange.cardinality
    if limit is None or limit.unit not in args:
        return []
    number = args[limit.unit]
    if not isinstance(number, int) or isinstance(number, bool):
        raise UsageError(f"expected a whole number of {limit.unit}", fr=f"il faut un nombre entier ({limit.unit})")
    most = limit.max
    for event in events:
        if event.type == limit.lifted_by and event.payload.get(limit.per) in {None, args.get(limit.per)}:
            asked = event.payload.get(f"max_{limit.unit}")
            if not isinstance(asked, int):
                return []
            most = max(most, asked)
    return [] if number <= most else [f"{limit.unit}:{number}_over_max_{most}"]
