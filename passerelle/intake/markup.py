"""XML from outside, by events and in bounded memory; no document type, so no entity, so no billion laughs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from xml.parsers import expat

from passerelle.intake.archive import refuse
from passerelle.intake.limits import KIB, MAX_DEPTH_ELEMENTS, MAX_TOKEN_BYTES


class Listener(Protocol):
    """What is told of each element; names come without their namespace's address."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, data: str) -> None: ...


class Reader:
    """Feeds blocks of one XML document to a listener."""

    def __init__(self, listener: Listener) -> None:
        self._parser = parser = expat.ParserCreate()
        self._depth = 0
        self._fed = 0
        self._start, self._end = listener.start, listener.end
        parser.buffer_text = True
        parser.StartElementHandler = self._opened
        parser.EndElementHandler = self._closed
        parser.CharacterDataHandler = listener.text
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype

    def feed(self, block: bytes, *, last: bool = False) -> None:
        """Parse one more block.

        Raises:
            IntakeError: not well-formed XML, a document type declaration, or over a limit.
        """
        self._fed += len(block)
        if not self._parsed(block, last=last):
            raise refuse("a part of the workbook is not well-formed XML")
        if not last and self._fed - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise refuse(f"a tag of the workbook is more than {MAX_TOKEN_BYTES // KIB} KiB")

    def _parsed(self, block: bytes, *, last: bool) -> bool:
        try:
            self._parser.Parse(block, last)
        except (expat.ExpatError, ValueError, LookupError):
            return False
        return True

    def _opened(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH_ELEMENTS:
            raise refuse(f"the workbook nests more than {MAX_DEPTH_ELEMENTS} elements")
        self._start(local(name), attributes)

    def _closed(self, name: str) -> None:
        self._depth -= 1
        self._end(local(name))

    @staticmethod
    def _refuse_doctype(*_: object) -> None:
        raise refuse("expected a workbook's XML, came one with a document type declaration")


def local(name: str) -> str:
    """An element's or attribute's name without its prefix."""
    return name[name.rfind(":") + 1 :]


def parse(blocks: Iterable[bytes], listener: Listener) -> None:
    """Feed a whole document to ``listener``. Raises IntakeError like ``Reader.feed``."""
    reader = Reader(listener)
    for block in blocks:
        reader.feed(block)
    reader.feed(b"", last=True)
