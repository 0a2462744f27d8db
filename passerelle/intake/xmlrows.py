"""XML: the elements at a declared path, by events. No document type, no foreign namespace, no text between elements.

Where the dialect names a schema (XSD 1.0), the same blocks go to libxml2's streaming validator once expat has let them by.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

from passerelle.contract import Dialect
from passerelle.errors import IntakeError, UsageError
from passerelle.intake.chunks import Parsed
from passerelle.intake.content import Content, See
from passerelle.intake.limits import KIB, MAX_RECORD_BYTES, MIN_PIECE_BYTES
from passerelle.intake.markup import Reader
from passerelle.intake.records import TEXT, Plan, Tree, first_header, gathered
from passerelle.intake.scan import BOM, Rules

_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance "
_SPACE: Final = " \t\r\n"
_SLICE_BYTES: Final = 4096
"""What libxml2 validates at a time: its streaming validator does not say where it is."""


def read(content: Content, dialect: Dialect, wanted: Sequence[str], see: See | None) -> Iterator[Parsed]:
    """The rows of an XML document. Raises IntakeError: it is not what ``dialect`` or its schema declares."""
    return gathered(_records(content, dialect, see), Plan(dialect), dialect, wanted)


def header(content: Content, dialect: Dialect) -> list[str | None]:
    """What the document's first record is recognised by. Raises IntakeError: it has none to read."""
    return first_header(lambda: _records(content, dialect, None), Plan(dialect), dialect)


def _records(content: Content, dialect: Dialect, see: See | None) -> Iterator[tuple[Tree, str]]:
    builder = _Builder(dialect)
    reader = builder.reader = Reader(builder, namespaces=True)
    schema = None if dialect.schema is None else _Schema(dialect)
    for block in _utf8(content.blocks(see, MIN_PIECE_BYTES), dialect):
        reader.feed(block, last=not block)
        _check_declared(reader, dialect)
        builder.check_length()
        if schema is not None:
            schema.feed(block)
        yield from builder.take()


def _check_declared(reader: Reader, dialect: Dialect) -> None:
    """The encoding that a document says it is in must be the dialect's."""
    if reader.encoding is None:
        return
    try:
        same = codecs.lookup(reader.encoding).name == codecs.lookup(Rules.of(dialect).codec).name
    except (LookupError, ValueError):
        same = False
    if not same:
        raise IntakeError(f"expected {dialect.encoding}, came XML that says another encoding of itself", where="line 1")


def _utf8(blocks: Iterator[bytes], dialect: Dialect) -> Iterator[bytes]:
    """The document in UTF-8, then an empty block."""
    codec = Rules.of(dialect).codec
    decoder = None if codec == "utf-8" else codecs.getincrementaldecoder(codec)("strict")
    first = next(blocks, b"")
    if first.startswith(BOM) != (dialect.encoding == "utf-8-sig"):
        raise IntakeError(f"expected {dialect.encoding}, came a byte order mark or none", where="line 1")
    for whole in itertools.chain([first], blocks):
        for start in range(0, len(whole), MIN_PIECE_BYTES):
            block = whole[start : start + MIN_PIECE_BYTES]
            try:
                text = block if decoder is None else decoder.decode(block).encode()
            except UnicodeDecodeError:
                text = b""
            if not text:
                raise IntakeError(f"bytes that are not {codec} (dialect {dialect.id})", where="input")
            yield text
    yield b""


class _Builder:
    """Makes a tree of each record from the events of a document; outside records, only the declared path may be."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._path = dialect.path.split("/")
        self._space = "" if dialect.namespace is None else dialect.namespace + " "
        self._open: list[str] = []
        self._skipping = 0
        self._nodes: list[dict[str | None, Any]] = []
        self._texts: list[list[str]] = []
        self._began, self._place = 0, ""
        self._ready: list[tuple[Tree, str]] = []
        self._number = 0
        self.reader: Reader | None = None

    def take(self) -> list[tuple[Tree, str]]:
        """The records that ended since it was last asked."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skipping:
            self._skipping += 1
            return
        bare = self._bare(name)
        if self._nodes:
            self._nodes.append(self._attributes(attributes))
            self._texts.append([])
            return
        self._open.append(bare)
        if self._open == self._path:
            self._number += 1
            self._began, self._place = self._reader.offset, self._reader.place()
            self._nodes, self._texts = [self._attributes(attributes)], [[]]
        elif self._open != self._path[: len(self._open)]:
            if "/".join(self._open) not in self._dialect.beside:
                raise self._fault("something that the dialect does not declare")
            self._skipping = 1

    def end(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
            if not self._skipping:
                self._open.pop()
        elif not self._nodes:
            self._open.pop()
        else:
            self.check_length()
            node, text = self._nodes.pop(), "".join(self._texts.pop())
            tree = self._tree(node, text)
            if self._nodes:
                _add(self._nodes[-1], self._bare(name), tree)
            else:
                self._open.pop()
                whole = tree if isinstance(tree, dict) else {TEXT: tree}
                self._ready.append((whole, f"record {self._number}, {self._place}"))

    def text(self, data: str) -> None:
        if self._nodes:
            self._texts[-1].append(data)
        elif not self._skipping and data.strip(_SPACE):
            raise self._fault("text between elements")

    def check_length(self) -> None:
        """Refuse a record that is too long, whole or not."""
        if self._nodes and self._reader.offset - self._began > MAX_RECORD_BYTES:
            raise self._fault(f"a record of more than {MAX_RECORD_BYTES // KIB} KiB")

    @property
    def _reader(self) -> Reader:
        assert self.reader is not None  # noqa: S101 -- set before the first event
        return self.reader

    def _bare(self, name: str) -> str:
        if self._space:
            if not name.startswith(self._space):
                raise self._fault("an element of another namespace than the declared one")
            return name[len(self._space) :]
        if " " in name:
            raise self._fault("an element of a namespace where the dialect declares none")
        return name

    def _attributes(self, attributes: dict[str, str]) -> dict[str | None, Any]:
        return {"@" + name: value for name, value in attributes.items() if not name.startswith(_INSTANCE)}

    def _tree(self, node: dict[str | None, Any], text: str) -> Tree:
        if not node:
            return text
        if all(name is not None and name.startswith("@") for name in node):
            return {**node, TEXT: text}
        if text.strip(_SPACE):
            raise self._fault("text between elements")
        return node

    def _fault(self, message: str) -> IntakeError:
        return IntakeError(f"{message} (dialect {self._dialect.id})", where=self._reader.place())


def _add(node: dict[str | None, Any], name: str, tree: Tree) -> None:
    if name not in node:
        node[name] = tree
    elif isinstance(node[name], list):
        node[name].append(tree)
    else:
        node[name] = [node[name], tree]


class _Schema:
    """Validates a document against an XSD as it comes; what is valid is let go at once."""

    def __init__(self, dialect: Dialect) -> None:
        try:
            from lxml import etree  # type: ignore[import-untyped]  # optional, and without types
        except ImportError:
            raise UsageError(f"dialect {dialect.id} names a schema: validation needs lxml") from None
        self._dialect, self._lines = dialect, (1, 1)
        self._error: type[Exception] = etree.XMLSyntaxError
        quiet = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
        try:
            schema = etree.XMLSchema(etree.parse(str(dialect.schema), etree.XMLParser(**quiet)))
        except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError):
            schema = None
        if schema is None:
            raise UsageError(f"dialect {dialect.id}: its schema cannot be read")
        self._parser = etree.XMLPullParser(events=("end",), schema=schema, encoding="utf-8", **quiet)

    def feed(self, block: bytes) -> None:
        """Validate one more block, the empty one last.

        Raises:
            IntakeError: the document breaks the schema.
        """
        valid = True
        try:
            for start in range(0, len(block), _SLICE_BYTES):
                piece = block[start : start + _SLICE_BYTES]
                self._lines = (self._lines[-1], self._lines[-1] + piece.count(b"\n"))
                self._parser.feed(piece)
            if not block:
                self._parser.close()
            for _, element in self._parser.read_events():
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except self._error:
            valid = False
        if not valid:
            raise IntakeError(
                f"the document breaks its schema (dialect {self._dialect.id})", where="lines {} to {}".format(*self._lines),
                hint="check it against the schema that was agreed on",
            )  # fmt: skip
