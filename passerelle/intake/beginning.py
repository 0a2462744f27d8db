"""The first bytes of a file that still arrives: refused as soon as they can be the beginning of none of the declared dialects.

Only CSV is told by its beginning alone: its header stands there, exactly as ``recognise`` will read it. A packing, a workbook and a
document are judged once they are whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake.content import GZIP
from passerelle.intake.explain import explaining
from passerelle.intake.limits import MAX_HEADER_BYTES
from passerelle.intake.original import InMemory
from passerelle.intake.scan import BOM, Rules, wrong_encoding
from passerelle.intake.source import open_original

WHOLE = (b"PK", GZIP)  # what is judged once it is whole: packings and workbooks
DOCUMENTS = (b"{", b"[", b"<")


def looked_at(blocks: Iterable[bytes], versions: Sequence[Sequence[Dialect]]) -> Iterator[bytes]:
    """The same bytes; once as many as a header may have are there, no more are read where no dialect of ``versions`` fits.

    Raises:
        IntakeError: as ``open_original`` would for the whole file, by the dialects of the first version.
    """
    source, head = iter(blocks), bytearray()
    for block in source:
        head += block
        if len(head) >= MAX_HEADER_BYTES:
            insist_on_beginning(bytes(head), versions)
            break
    yield bytes(head)
    yield from source


def insist_on_beginning(head: bytes, versions: Sequence[Sequence[Dialect]]) -> None:
    """Refuse what no dialect can begin with.

    Raises:
        IntakeError: another header than every declared one, or bytes that are not in the encoding of the one that fits.
    """
    formats = {dialect.format for dialects in versions for dialect in dialects}
    is_document = head.removeprefix(BOM).lstrip().startswith(DOCUMENTS) and formats & {"json", "jsonl", "xml"}
    if head.startswith(WHOLE) or is_document:
        return
    faults = [_fault(head, dialects) for dialects in versions]
    if faults and all(faults) and faults[0] is not None:
        with explaining():
            raise faults[0]


def _fault(head: bytes, dialects: Sequence[Dialect]) -> IntakeError | None:
    try:
        with open_original(InMemory(head), dialects) as source:
            dialect = source.dialect
    except IntakeError as fault:
        return fault
    if dialect.format != "csv":
        return None
    lines = head[: head.rfind(b"\n") + 1]
    wrong = wrong_encoding(lines, Rules.of(dialect))
    if wrong is None:
        return None
    said, at = wrong
    line = lines.count(b"\n", 0, at) + 1
    return IntakeError(f"{said} (dialect {dialect.id})", where=f"line {line}")
