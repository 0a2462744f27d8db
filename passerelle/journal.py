"""The log: one JSON object a line, allow-listed fields only, so that no person's value can enter it by mistake."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from passerelle.clock import iso

FIELDS = frozenset(
    {
        "accepted", "bytes", "certificate", "contract", "convention", "decision", "delivery", "error", "exchange",
        "generation", "holding", "holdings", "parcel", "period", "read", "reason", "recipient", "rejected", "run",
        "seconds", "sender", "step", "trail_size",
    }
)  # fmt: skip


class Journal:
    """Appends events to one file; an unknown field is a programming error and is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, at: datetime, event: str, **fields: str | float | None) -> None:
        """Append ``event`` with ``fields``.

        Raises:
            KeyError: a field is not in ``FIELDS``.
        """
        if unknown := fields.keys() - FIELDS:
            raise KeyError(f"fields not allowed in the journal: {', '.join(sorted(unknown))}")
        line = json.dumps({"at": iso(at), "event": event, **fields}, ensure_ascii=False) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
