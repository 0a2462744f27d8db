"""Persons who objected or were erased, kept out of an extract: by their tags, a whole batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Column
from passerelle.persons.tags import Keyed, keyed
from passerelle.store.objections import TAG_BYTES, Objection


@dataclass(slots=True)
class LeftOut:
    """Filters the batches of one extract; ``rows`` is how many rows it kept out so far, ``erased`` those of erased persons.

    ``unrecognised`` is how many objections no column of the table can recognise: the sender does not give that identifier.
    """

    unrecognised: int
    rows: int = 0
    erased: int = 0
    _key: bytes = field(default=b"", repr=False)
    _known: tuple[tuple[Keyed, pa.Array, pa.Array], ...] = field(default=(), repr=False)

    def without(self, table: pa.Table) -> pa.Table:
        """The rows of ``table`` that speak of nobody who is left out."""
        if not self._known or not table.num_rows:
            return table
        out, erased = np.zeros(table.num_rows, np.bool_), np.zeros(table.num_rows, np.bool_)
        for scheme, tags, of_erased in self._known:
            found, present = scheme.tags(self._key, table)
            rows = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(TAG_BYTES), len(found), [None, pa.py_buffer(np.ascontiguousarray(found).reshape(-1))]
            )
            out |= present & np.asarray(pc.is_in(rows, value_set=tags))
            erased |= present & np.asarray(pc.is_in(rows, value_set=of_erased))
        self.erased += int(erased.sum())
        self.rows += int(out.sum())
        return table.filter(pa.array(~out)) if out.any() else table


def left_out(objections: Sequence[Objection], columns: Sequence[Column], key: bytes) -> LeftOut:
    """What keeps the persons of ``objections`` out of an extract of a table of ``columns``.

    Args:
        objections: those that bear on the exchange.
        columns: the contract's, of the whole table: a person is recognised by what does not leave, too.
        key: the index key of the convention.
    """
    tags: dict[str, list[bytes]] = {}
    erased: dict[str, list[bytes]] = {}
    for one in objections:
        tags.setdefault(one.scheme, []).append(one.tag)
        if one.ground == "erasure":
            erased.setdefault(one.scheme, []).append(one.tag)
    form = pa.binary(TAG_BYTES)
    known = tuple(
        (scheme, pa.array(tags[scheme.scheme], form), pa.array(erased.get(scheme.scheme, []), form))
        for scheme in keyed(columns)
        if scheme.scheme in tags
    )
    brought = {scheme.scheme for scheme, *_ in known}
    unrecognised = sum(len(found) for scheme, found in tags.items() if scheme not in brought)
    return LeftOut(unrecognised, _key=key, _known=known)
