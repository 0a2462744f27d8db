"""A file that leaves, whole or from where a broken download stopped (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

ONE: Final = r"(?:[0-9]+[ \t]*-[ \t]*[0-9]*|-[ \t]*[0-9]+)"
PARTS: Final = re.compile(rf"bytes=[ \t]*{ONE}(?:[ \t]*,[ \t]*{ONE})*[ \t]*", re.IGNORECASE)
SPAN: Final = re.compile(r"([0-9]+)[ \t]*-[ \t]*([0-9]+)")


class Leaving(FileResponse):
    """A file; what is no range of bytes is as if nobody had asked for it (section 14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        asked = Headers(scope=scope).getlist("range")
        if asked and not (len(asked) == 1 and is_range(asked[0])):
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"range"]}
        await super().__call__(scope, receive, send)


def is_range(asked: str) -> bool:
    """Whether ``asked`` is one or more ranges of bytes, none of which ends before it begins."""
    return PARTS.fullmatch(asked) is not None and all(int(first) <= int(last) for first, last in SPAN.findall(asked))
