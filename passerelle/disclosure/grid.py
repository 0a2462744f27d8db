"""Reading a table: which cell is where, which is the margin of which, and what earlier releases said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.disclosure.roles import Code, Dimension, OutcomeTable
from passerelle.disclosure.rules import SECRET, Counts, Mask
from passerelle.errors import RefusedError, UsageError

MAX_COUNT = 10_000_000  # persons in one figure
MAX_LEVELS = 12  # levels of a nesting
SIBLINGS = 3  # codes beside each other from which one can be seen to be the sum of the others
COINCIDENCES = 3  # figures that agree with the sum before it is taken for one
GLUE = "\x1f"  # the unit separator of ASCII, between the columns of one dimension


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts of one table: ``values`` (cells, counts), 0 where not ``known``; ``keys`` one text for each dimension."""

    keys: tuple[pa.Array, ...]
    values: Counts
    known: Mask


@dataclass(frozen=True, slots=True)
class Margin:
    """In one dimension, ``parts`` (cell numbers) add up to ``totals`` (cell numbers, same length, sorted)."""

    totals: Counts
    parts: Counts


def read_figures(table: pa.Table, roles: OutcomeTable) -> Figures:
    """Read the dimensions and counts of a table.

    Raises:
        RefusedError: a column without a role, a key or count that is not one, two rows for one cell.
    """
    names = set(table.column_names)
    if missing := sorted(set(roles.required) - names):
        raise RefusedError(f"expected the columns {', '.join(missing)}")
    if extra := sorted(names - set(roles.named)):
        raise RefusedError(
            f"columns without a role in the outcome table: {', '.join(extra)}",
            hint="name them in its roles, as carried when they say nothing of a person",
        )
    keys = tuple(_key(table, dimension) for dimension in roles.dimensions)
    counts = [_count(table, name) for name in roles.counts]
    values = np.stack([value for value, _ in counts], axis=1)
    return Figures(keys, values, np.stack([known for _, known in counts], axis=1))


def _key(table: pa.Table, dimension: Dimension) -> pa.Array:
    columns = [pc.cast(table[name], pa.string()).combine_chunks() for name in dimension.columns]
    key = pc.binary_join_element_wise(*columns, GLUE)
    if key.null_count:
        raise RefusedError("expected a code in each row of a dimension, came: no value", where=dimension.columns[-1])
    return key


def _count(table: pa.Table, name: str) -> tuple[Counts, Mask]:
    column = table[name].combine_chunks()
    if not pa.types.is_integer(column.type):
        text = pc.cast(column, pa.string())
        column = pc.if_else(pc.equal(text, SECRET), pa.scalar(None, pa.string()), text)
    wrong = False
    try:
        numbers = pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        wrong = True
    if wrong:  # outside the handler: the foreign message holds the value
        raise RefusedError("expected whole numbers of persons or the secrecy mark", where=name)
    known = np.asarray(pc.is_valid(numbers).to_numpy(zero_copy_only=False), dtype=np.bool_)
    values = np.asarray(pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
    if ((values < 0) | (values > MAX_COUNT)).any():
        raise RefusedError(f"expected counts from 0 to {MAX_COUNT}", where=name)
    return values, known


def encode(tables: list[tuple[pa.Array, ...]], roles: OutcomeTable) -> tuple[Counts, list[list[Code]]]:
    """Number the codes of each dimension over several tables stacked.

    Returns:
        (rows of all tables, dimensions) numbers, and the codes that they stand for.
    """
    columns, codes = [], []
    for dimension, parts in zip(roles.dimensions, zip(*tables, strict=True), strict=True):
        width = len(dimension.columns)
        encoded = pa.chunked_array(list(parts)).combine_chunks().dictionary_encode()
        columns.append(np.asarray(encoded.indices, dtype=np.int64))
        codes.append([tuple(text.split(GLUE, width - 1)) for text in encoded.dictionary.to_pylist()])
    return np.stack(columns, axis=1), codes


def cell_ids(keys: Counts) -> Counts:
    """(rows,) one number for each distinct row of ``keys``."""
    ids = np.zeros(len(keys), np.int64)
    for column in keys.T:
        _, ids = np.unique(ids * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    return np.asarray(ids, dtype=np.int64)


def _parents(codes: list[Code], dimension: Dimension) -> Counts:
    """The number of each code's parent, -1 for none: by the nesting, else the total of the dimension.

    Parents that the table does not have are numbered after its codes, so that a child still finds its grandparent.
    """
    names: list[Code] = list(codes)
    above: list[int] = []
    number = {code: index for index, code in enumerate(names)}
    while len(above) < len(names):
        code = names[len(above)]
        parent = dimension.parent(code) if dimension.parent else None
        if parent is None and code != dimension.total:
            parent = dimension.total
        if parent is not None and parent not in number:
            number[parent] = len(names)
            names.append(parent)
        above.append(-1 if parent is None else number[parent])
        if len(names) > MAX_LEVELS * (len(codes) + 1):
            break
    parents = np.array(above, dtype=np.int64)
    reach = np.arange(len(parents))
    for _ in range(MAX_LEVELS):
        reach = np.where(reach >= 0, parents[reach], -1)
    if len(above) < len(names) or (reach >= 0).any():
        raise UsageError(f"expected a nesting of at most {MAX_LEVELS} levels and without a circle")
    return parents


def _lookup(wanted: Counts, have: Counts) -> Counts:
    """The position in ``have`` of each of ``wanted``, -1 where absent."""
    order = np.argsort(have, kind="stable")
    at = np.minimum(np.searchsorted(have, wanted, sorter=order), len(have) - 1)
    return np.where(have[order[at]] == wanted, order[at], -1)


def margins(keys: Counts, codes: list[list[Code]], values: Counts, roles: OutcomeTable) -> list[Margin]:
    """For each dimension, which cells add up to which: each cell to its nearest ancestor that the table has.

    Args:
        keys: (cells, dimensions) code numbers, as ``encode`` gives them.
        codes: the codes of each dimension.
        values: (cells, counts) the figures.
        roles: which codes are totals, and how codes nest.

    Raises:
        RefusedError: codes whose persons overlap in a way that the roles do not declare.
    """
    found = []
    for axis, dimension in enumerate(roles.dimensions):
        at, others = _totals(keys, axis, codes[axis], dimension)
        family = np.unique(np.where(at >= 0, at, len(at) + others), return_inverse=True)[1]
        _one_level(family, _levels(codes[axis])[keys[:, axis]], dimension)
        _no_hidden_total(np.where(at < 0, family, -1), keys[:, axis], values, dimension)
        found.append(_margin(at, np.flatnonzero(at >= 0)))
    return found


def mixed_margins(keys: Counts, codes: list[list[Code]], roles: OutcomeTable, own: int) -> list[Margin]:
    """The margins that cells of earlier releases have a part in, as total or as part; each level beneath a total is one.

    Args:
        keys: (cells, dimensions) code numbers; the first ``own`` cells are those of the new table.
        codes: the codes of each dimension.
        roles: which codes are totals, and how codes nest.
        own: see above.
    """
    found = []
    for axis, dimension in enumerate(roles.dimensions if own < len(keys) else ()):
        at, _ = _totals(keys, axis, codes[axis], dimension)
        parts = np.flatnonzero(at >= 0)
        levels = _levels(codes[axis])[keys[:, axis]]
        group = at[parts] * (int(levels.max(initial=0)) + 1) + levels[parts]
        foreign = np.unique(group[(parts >= own) | (at[parts] >= own)])
        for level in np.unique(levels[parts]):
            chosen = parts[np.isin(group, foreign) & (levels[parts] == level)]
            if len(chosen):
                found.append(_margin(at, chosen))
    return found


def _totals(keys: Counts, axis: int, codes: list[Code], dimension: Dimension) -> tuple[Counts, Counts]:
    """(cells,) the nearest ancestor of each cell that there is, -1 for none; (cells,) which cells differ in this dimension only."""
    parents = _parents(codes, dimension)
    width = len(parents)
    others = cell_ids(np.delete(keys, axis, axis=1))
    have = others * width + keys[:, axis]
    above, at = parents[keys[:, axis]], np.full(len(keys), -1)
    for _ in range(MAX_LEVELS):
        open_ = (at < 0) & (above >= 0)
        at[open_] = _lookup(others[open_] * width + above[open_], have)
        above = np.where((at < 0) & (above >= 0), parents[above], -1)
    return at, others


def _margin(at: Counts, parts: Counts) -> Margin:
    order = np.argsort(at[parts], kind="stable")
    return Margin(at[parts][order], parts[order])


def _levels(codes: list[Code]) -> Counts:
    """(codes,) the number of the level that each code belongs to."""
    names = {level: index for index, level in enumerate(dict.fromkeys(code[:-1] for code in codes))}
    return np.array([names[code[:-1]] for code in codes], dtype=np.int64)


def _one_level(family: Counts, level: Counts, dimension: Dimension) -> None:
    """Refuse siblings of two levels (a department beside a basin): no equation says how their persons overlap."""
    if len(np.unique(family * (int(level.max(initial=0)) + 1) + level)) > len(np.unique(family)):
        raise RefusedError(
            "expected the codes beneath one total, or beside each other, to be of one level",
            where=dimension.columns[-1],
            hint="publish one level, or each level beneath the total that covers it",
        )


def _no_hidden_total(family: Counts, key: Counts, values: Counts, dimension: Dimension) -> None:
    """Refuse a code that is, wherever it appears, the sum of those beside it: a total that the roles do not declare."""
    inside = family >= 0
    sizes = np.bincount(family[inside], minlength=1)
    inside[inside] = sizes[family[inside]] >= SIBLINGS
    if not inside.any():
        return
    groups, codes, figures = family[inside], key[inside], values[inside]
    sums = np.zeros((groups.max() + 1, figures.shape[1]), np.int64)
    np.add.at(sums, groups, figures)
    equal = (2 * figures == sums[groups]).all(axis=1)
    told = np.bincount(codes, weights=(equal[:, None] & (figures > 0)).sum(axis=1))
    denied = np.bincount(codes, weights=~equal)
    if ((told >= COINCIDENCES) & (denied == 0)).any():
        raise RefusedError(
            "a code has the sum of all the others beside it: a total that the roles of the table do not declare",
            where=dimension.columns[-1],
            hint="declare it as the total of its dimension, or leave its rows out",
        )
