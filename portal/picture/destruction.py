"""The calendar of destruction as a picture (SVG): a line for each convention, a mark on its last day, and today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from portal.picture.page import AMBER, BLUE, FAINT, GRID, INK, LEFT, MARGIN, PLAIN, RED, RIGHT, STEP, WIDTH, spans
from portal.picture.svg import FONT, Sheet, width
from portal.picture.words import month, said, short
from portal.render import Lang

ROW = 30.0  # from one line to the next
DOT = 5.0
YEARS = 2  # shown after today


class Due(NamedTuple):
    """The last day of one convention, whether it is past, and whether the purge may run."""

    convention: str
    day: date
    overdue: bool
    allowed: bool


def calendar(found: Sequence[Due], today: date, lang: Lang) -> str:
    """The picture: from the first day that is due, or today, to two years after today; later days stand at the end."""
    first = min([today, *(one.day for one in found)]).replace(day=1)
    last = today.replace(day=1, year=today.year + YEARS)
    sheet = Sheet()

    def x(day: date) -> float:
        return LEFT + (RIGHT - LEFT) * min(max((day - first).days / (last - first).days, 0.0), 1.0)

    bottom = MARGIN + 2 * STEP + 10 + ROW * len(found)
    for start, end in spans(first, last, months=False):
        sheet.text((x(start) + x(end)) / 2, MARGIN, str(start.year), PLAIN, anchor="middle", bold=True, fill=INK)
    for start, _ in spans(first, last, months=True):
        sheet.draw("line", x1=x(start), x2=x(start), y1=MARGIN + 2 * STEP, y2=bottom, stroke=GRID)
        if start.month in {1, 4, 7, 10}:
            sheet.text(x(start), MARGIN + STEP + 4, month(start, lang), PLAIN - 1, fill=FAINT)
    sheet.draw("line", x1=x(today), x2=x(today), y1=MARGIN + STEP, y2=bottom, stroke=INK, stroke_width=1.5)
    for place, one in enumerate(sorted(found, key=lambda one: one.day)):
        _line(sheet, one, x(one.day), MARGIN + 2 * STEP + 10 + ROW * (place + 0.5), lang)
    title = said("calendar", lang, short(today, lang))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {bottom + MARGIN:g}" role="img" '
        f'font-family="{FONT}"><title>{title}</title>\n{sheet}\n</svg>\n'
    )


def _line(sheet: Sheet, one: Due, x: float, y: float, lang: Lang) -> None:
    colour = RED if one.overdue else AMBER if one.allowed else BLUE
    words = short(one.day, lang)
    sheet.text(MARGIN, y + 4, one.convention, PLAIN, fill=INK)
    sheet.draw("circle", cx=x, cy=y, r=DOT, fill=colour)
    fits = x + DOT + 4 + width(words, PLAIN) < RIGHT
    sheet.text(
        x + DOT + 4 if fits else x - DOT - 4, y + 4, words, PLAIN, anchor="start" if fits else "end", bold=one.overdue,
        fill=colour, halo=True,
    )  # fmt: skip
