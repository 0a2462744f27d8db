"""Disclosure control of outcome tables: no published figure, alone or with others, gives back a small one.

What a caller says (``OutcomeTable``, ``Thresholds``, ``Release``) is light to import; ``protect`` brings the solver when it
is called. The rules and the algorithm are in docs/spec/disclosure.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from passerelle.disclosure.roles import Dimension, OutcomeTable, Rate, Release, Sum, Units
from passerelle.disclosure.rules import SECRET, Thresholds

if TYPE_CHECKING:
    from passerelle.disclosure.protection import Protected

__all__ = ["SECRET", "Dimension", "OutcomeTable", "Rate", "Release", "Sum", "Thresholds", "Units", "protect"]


def protect(
    table: pa.Table, roles: OutcomeTable, thresholds: Thresholds, earlier_releases: Sequence[Release] = ()
) -> Protected:
    """Make ``table`` safe to publish, or refuse it: see ``passerelle.disclosure.protection.protect``."""
    from passerelle.disclosure.protection import protect as run

    return run(table, roles, thresholds, earlier_releases)
