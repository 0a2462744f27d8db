"""The body of a form, read as it arrives: no longer than its way takes, and no slower than anyone types."""

from __future__ import annotations

import asyncio

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

FORM_BYTES = 1 << 20
FORM_FIELDS = 200
FORM_FILES = 4
SLOWEST = 30.0  # seconds for a whole form


async def form(request: Request) -> FormData:
    """The fields of a form.

    Raises:
        HTTPException: it is longer than ``FORM_BYTES`` (413), takes longer than ``SLOWEST`` (408), is broken off, or is no form (400).
    """
    _insist_short(request.headers.get("content-length"))
    left = FORM_BYTES
    receive = request.receive

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    try:
        async with asyncio.timeout(SLOWEST):
            counting = Request(request.scope, counted)
            return await counting.form(max_files=FORM_FILES, max_fields=FORM_FIELDS, max_part_size=FORM_BYTES)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None


def _insist_short(told: str | None) -> None:
    if told is not None and (not told.isascii() or not told.isdigit() or int(told) > FORM_BYTES):
        raise HTTPException(413)
