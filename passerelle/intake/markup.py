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
    """Feeds blocks of one XML document to a listener.

    With ``namespaces``, names are whole ("address name") and the bytes are UTF-8 whatever the document says of itself;
    without, names are local.
    """

    def __init__(self, listener: Listener, *, namespaces: bool = False) -> None:
        self._parser = parser = expat.ParserCreate("utf-8", " ") if namespaces else expat.ParserCreate()
        self._name = str if namespaces else local
        self._depth = 0
        self._fed = 0
        self._start, self._end = listener.start, listener.end
        parser.buffer_text = True
        parser.StartElementHandler = self._opened
        parser.EndElementHandler = self._closed
        parser.CharacterDataHandler = listener.text
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        parser.XmlDeclHandler = self._declared
        self.encoding: str | None = None

    def feed(self, block: bytes, *, last: bool = False) -> None:
        """Parse one more block.

        Raises:
            IntakeError: not well-formed XML, a document type declaration, or over a limit.
        """
        self._fed += len(block)
        if not self._parsed(block, last=last):
            raise refuse("expected well-formed XML, came something else", self.place())
        if not last and self._fed - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise refuse(f"a tag of more than {MAX_TOKEN_BYTES // KIB} KiB", self.place())

    def place(self) -> str:
        """Where the parser is, for a message."""
        return f"line {self._parser.CurrentLineNumber}, column {self._parser.CurrentColumnNumber + 1}"

    @property
    def offset(self) -> int:
        """Where the parser is, in bytes of UTF-8."""
        return self._parser.CurrentByteIndex

    def _parsed(self, block: bytes, *, last: bool) -> bool:
        try:
            self._parser.Parse(block, last)
        except (expat.ExpatError, ValueError, LookupError):
            return False
        return True

    def _opened(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH_ELEMENTS:
            raise refuse(f"more than {MAX_DEPTH_ELEMENTS} elements inside one another", self.place())
        self._start(self._name(name), attributes)

    def _closed(self, name: str) -> None:
        self._depth -= 1
        self._end(self._name(name))

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding

    def _refuse_doctype(self, *_: object) -> None:
        raise refuse("expected XML without a document type declaration, came XML with one", self.place())


def local(name: str) -> str:
    """An element's or attribute's name without its prefix."""
    return name[name.rfind(":") + 1 :]


def parse(blocks: Iterable[bytes], listener: Listener) -> None:
    """Feed a whole document to ``listener``. Raises IntakeError like ``Reader.feed``."""
    reader = Reader(listener)
    for block in blocks:
        reader.feed(block)
    reader.feed(b"", last=True)
