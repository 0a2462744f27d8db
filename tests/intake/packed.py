"""Files packed by hand, so that every part of the packing can be wrong."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

from tests.intake.workbooks import parts


def zipped(data: bytes, *more: tuple[str, bytes], name: str = "any") -> bytes:
    """A zip archive of ``data`` and of ``more`` members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in ((name, data), *more):
            archive.writestr(member, content)
    return made.getvalue()


def packed(data: bytes, packing: str) -> bytes:
    """``data`` in one packing."""
    pack: dict[str, Callable[[bytes], bytes]] = {
        "plain": bytes,
        "zip": zipped,
        "gzip": lambda plain: gzip.compress(plain, mtime=0),
        "workbook": around,
    }
    return pack[packing](data)


def around(sheet: bytes) -> bytes:
    """A workbook whose one sheet is these bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for member, content in parts({"S": ""}, "<si><t>par</t></si>").items():
            archive.writestr(member, sheet if member == "xl/worksheets/sheet0.xml" else content)
    return made.getvalue()
