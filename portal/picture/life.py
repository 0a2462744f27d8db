"""The verb: a convention's life from one day to another, as an SVG document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from passerelle.errors import UsageError
from portal.picture import marks as marking
from portal.picture.page import Page
from portal.render import Lang


def picture(value: Mapping[str, Any], entries: Iterable[Mapping[str, Any]], lang: Lang, start: date, end: date) -> str:
    """The life of a convention from ``start`` to ``end``, both included, as an SVG document in ``lang``.

    ``value`` is what ``passerelle.convention.show`` gives. ``entries`` are those of ``calendar_entries``; they may begin before
    ``start``, so that terms are numbered from the first, and may have the kinds ``delivered`` (a day on which the exchange
    ``subject`` was delivered) and ``purged``. Pure; nothing in the document comes from outside it. What a colour says, a
    shape or a word says too, and the description has every date.

    Raises:
        UsageError: the period is empty.
    """
    if end < start:
        raise UsageError("expected a period that does not end before it starts")
    marks = sorted(marking.read(entry, lang) for entry in entries)
    inside = [mark for mark in marks if start <= mark.day <= end]
    rows = marking.rows(inside, lang)
    page = Page(lang, start, end)
    # 1. Which convention, when, how it stands.
    page.heading(value)
    # 2. The lines of time: the term, notices against its renewal, due dates and deliveries, the destruction.
    page.open()
    page.term(marking.pieces(value, marks, lang), [mark for mark in inside if mark.kind in marking.TERM])
    page.opt_out(*([mark for mark in some if mark.kind in marking.OPT_OUT] for some in (marks, inside)))
    for row in rows:
        page.row(row)
    page.destruction(marks, [mark for mark in inside if mark.kind in marking.PURGE])
    page.close(value)
    # 3. Each date with its ground and its arithmetic; what the signs mean.
    page.table(marking.lines((mark for mark in inside if mark.kind in marking.LANES), rows, lang))
    page.legend(value)
    return page.document(value, inside)
