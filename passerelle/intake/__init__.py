"""Reading a partner's file strictly, streaming, in bounded memory: ``open_source`` and the ``Source`` that it gives."""

from __future__ import annotations

from passerelle.intake.source import Source, Writer, open_original, open_source

__all__ = ["Source", "Writer", "open_original", "open_source"]
