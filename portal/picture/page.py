"""The page that a picture is laid out on, from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from portal.picture.marks import DAY, OPT_OUT, PURGE, TERM, Line, Mark, Piece, Row
from portal.picture.svg import FONT, Sheet, apart, levels, width, wrapped
from portal.picture.words import month, said, short
from portal.render import Lang, day
from portal.words import PARIS

WIDTH = 1120.0  # of the picture; one unit is a CSS pixel
MARGIN = 24.0
LEFT, RIGHT = 262.0, WIDTH - MARGIN  # of the lines of time
GUTTER = LEFT - MARGIN - 16.0  # for the names of the lines
SMALL, PLAIN, LARGE = 10.0, 11.0, 17.0  # sizes of letters
STEP = 13.0  # from one line of words to the next
GAP = 7.0  # between two labels
BAR = 20.0  # height of a term
MONTHS_SHOWN = 620  # days: a longer picture names its years alone

INK, FAINT, GRID, WHITE = "#1b1f24", "#55606b", "#dde2e7", "#ffffff"
BLUE, AMBER, RED, GREEN = "#1d4f80", "#7a4f00", "#8f1d1d", "#1c6b3f"
PALE = {BLUE: "#d3e2f1", AMBER: "#fbe9c3", RED: "#f6dcdc"}
COLOURS = {
    **dict.fromkeys(TERM, BLUE),
    **dict.fromkeys(OPT_OUT, AMBER),
    **dict.fromkeys(PURGE, RED),
    "delivered": GREEN,
}
SHAPES: Mapping[str, Sequence[tuple[float, float]]] = {
    "starts": ((-3, -6), (6, 0), (-3, 6)),
    "renews": ((-5, -6), (0, -6), (5, 0), (0, 6), (-5, 6), (0, 0)),
    "ends": ((-2, -7), (2, -7), (2, 7), (-2, 7)),
    "opt_out_reminder": ((-3, -7), (3, -7), (0, 0)),
    "opt_out_safe_day": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
    "opt_out_last_valid_day": ((-5, -4), (5, -4), (0, 5)),
    "purge_target": ((-3, -7.5), (3, -7.5), (7.5, -3), (7.5, 3), (3, 7.5), (-3, 7.5), (-7.5, 3), (-7.5, -3)),
    "destruction": (
        (-5, -3), (-3, -5), (0, -2), (3, -5), (5, -3), (2, 0), (5, 3), (3, 5), (0, 2), (-3, 5), (-5, 3), (-2, 0),
    ),
    "purged": ((-6, 0), (-4, -2), (-2, 1), (4, -6), (6, -4), (-2, 5)),
    "delivered": ((-1.2, -6), (1.2, -6), (1.2, 6), (-1.2, 6)),
    "due": ((0, -5), (5, 0), (0, 5), (-5, 0)),
}  # fmt: skip


class Page:
    """A page under way: ``y`` is where the next thing begins. Callers draw in order and end with ``document``."""

    def __init__(self, lang: Lang, start: date, end: date) -> None:
        self.lang: Lang = lang
        self.start = start
        self.end = end
        self.sheet = Sheet()
        self.grid = Sheet()
        self.y = MARGIN
        self.top = MARGIN

    def _said(self, word: str, *given: object) -> str:
        return said(word, self.lang, *given)

    def _day(self, one: date) -> str:
        return day(one, self.lang)

    def _told(self, mark: Mark) -> str:
        """A mark in one sentence."""
        ground = ", ".join(part for part in (mark.article, self._said(mark.basis)) if part)
        return f"{self._day(mark.day)}{self._said('colon')}{mark.title} ({ground})"

    def _x(self, one: date) -> float:
        """Where a day begins on the lines of time, at their ends when it is outside."""
        share = (one - self.start).days / ((self.end - self.start).days + 1)
        return LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0)

    def _middle(self, one: date) -> float:
        return (self._x(one) + self._x(one + DAY)) / 2

    def heading(self, value: Mapping[str, Any]) -> None:
        """Which convention, from when to when, and how it stands."""
        for line in wrapped(value["title"][self.lang], LARGE, WIDTH - 2 * MARGIN, bold=True):
            self.y += LARGE + 4
            self.sheet.text(MARGIN, self.y, line, LARGE, bold=True, fill=INK)
        self.y += PLAIN + 9
        period = self._said("life", value["id"], self._day(self.start), self._day(self.end))
        self.sheet.text(MARGIN, self.y, period, PLAIN + 1, fill=FAINT)
        status = self._said("as_of", self._day(_as_of(value)), self._said(value["status"]))
        both = width(period, PLAIN + 1) + width(status, PLAIN + 1, bold=True) + GAP
        self.y += 0 if both < WIDTH - 2 * MARGIN else PLAIN + 6
        self.sheet.text(RIGHT, self.y, status, PLAIN + 1, anchor="end", bold=True, fill=INK)
        self.y += 16

    def open(self) -> None:
        """Begin the lines of time: their scale of years, and of months where there is room."""
        self.top = self.y
        months = (self.end - self.start).days < MONTHS_SHOWN
        for first, last in spans(self.start, self.end, months=False):
            self._scale(first, last, str(first.year), self.y + STEP, bold=True)
        if months:
            for first, last in spans(self.start, self.end, months=True):
                self._scale(first, last, month(first, self.lang), self.y + 2 * STEP, bold=False)
        self.y += (2 if months else 1) * STEP + 10

    def _scale(self, first: date, last: date, words: str, y: float, *, bold: bool) -> None:
        low, high = self._x(first), self._x(last + DAY)
        if width(words, PLAIN, bold=bold) + 6 <= high - low:
            self.sheet.text((low + high) / 2, y, words, PLAIN, anchor="middle", bold=bold, fill=INK)

    def _name(self, words: str, note: str = "") -> float:
        """Name a line of time in the gutter; how much height that takes."""
        lines = wrapped(words, PLAIN, GUTTER)
        for number, line in enumerate(lines):
            self.sheet.text(MARGIN, self.y + STEP * (number + 1), line, PLAIN, fill=INK)
        if note:
            self.sheet.text(MARGIN, self.y + STEP * (len(lines) + 1), note, SMALL, fill=FAINT)
        return STEP * (len(lines) + bool(note)) + 8

    def _rule(self) -> None:
        self.grid.draw("line", x1=MARGIN, x2=RIGHT, y1=self.y, y2=self.y, stroke=GRID)
        self.y += 6

    def _sign(self, x: float, y: float, kind: str, basis: str) -> None:
        """The sign of a kind of mark: full when the text states it, half when it is interpreted, empty when the hub decides."""
        colour = COLOURS.get(kind, INK)
        shape = [(x + dx, y + dy) for dx, dy in SHAPES.get(kind, SHAPES["due"])]
        self.sheet.polygon(shape, fill=WHITE, stroke=colour, stroke_width=1.2)
        if basis == "interpreted" and kind != "delivered":
            self.sheet.polygon(_left_half(shape, x), fill=colour)
        elif basis != "hub_policy" or kind == "delivered":
            self.sheet.polygon(shape, fill=colour)

    def _marks(self, marks: Sequence[Mark], y: float) -> None:
        for mark in marks:
            with self.sheet.titled(self._told(mark)):
                self._sign(self._middle(mark.day), y, mark.kind, mark.basis)

    def _labels(self, marks: Sequence[Mark], y: float, *, titled: bool) -> float:
        """Words under marks, on as many levels as keep them apart; the height that they take."""
        spans = sorted(self._span(mark, titled=titled) for mark in marks)
        found = levels([(low, high) for low, high, _ in spans], GAP)
        for (low, _, words), level in zip(spans, found, strict=True):
            self.sheet.text(low, y + STEP * level, words, SMALL, fill=INK, halo=True)
        return STEP * (max(found, default=-1) + 1)

    def _span(self, mark: Mark, *, titled: bool) -> tuple[float, float, str]:
        """From where to where the words under a mark go: a date alone under its middle, a sentence from there on."""
        words = short(mark.day, self.lang)
        if titled:
            words += f"{self._said('colon')}{mark.title[0].lower()}{mark.title[1:]}"
        room = width(words, SMALL)
        low = self._middle(mark.day) - (4 if titled else room / 2)
        low = min(max(low, LEFT), RIGHT - room)
        return low, low + room, words

    def term(self, pieces: Sequence[Piece], marks: Sequence[Mark]) -> None:
        """The terms as bars, hatched where nothing is sure."""
        self._rule()
        named = self._name(self._said("term"))
        shown = [piece for piece in pieces if self._visible(piece)]
        for piece in shown:
            self._bar(piece, self.y + 2)
        if not shown:
            self.sheet.text(LEFT, self.y + STEP, self._said("nothing"), PLAIN, fill=FAINT)
        self._marks(marks, self.y + 2 + BAR / 2)
        height = BAR + 8 + self._labels(marks, self.y + BAR + 2 + STEP, titled=True)
        self.y += max(named, height)

    def _visible(self, piece: Piece) -> bool:
        return (piece.first is None or piece.first <= self.end) and (piece.last is None or piece.last >= self.start)

    def _bar(self, piece: Piece, y: float) -> None:
        low = LEFT if piece.first is None else self._x(piece.first)
        high = RIGHT if piece.last is None else self._x(piece.last + DAY)
        fill = PALE[BLUE] if piece.sure else f"url(#{HATCH})"
        self.sheet.draw("rect", x=low, y=y, width=high - low, height=BAR, fill=fill, stroke=BLUE)
        room = width(piece.words, PLAIN) + 12
        if room + 12 <= high - low:
            middle = (low + high) / 2
            self.sheet.draw("rect", x=middle - room / 2, y=y + 3, width=room, height=BAR - 6, fill=WHITE, rx=3)
            self.sheet.text(middle, y + BAR / 2 + 4, piece.words, PLAIN, anchor="middle", fill=BLUE)

    def opt_out(self, marks: Sequence[Mark], inside: Sequence[Mark]) -> None:
        """The windows in which a notice prevents the next renewal, from the first reminder to the safe day and beyond."""
        if not inside:
            return
        self._rule()
        named = self._name(self._said("opt_out"))
        y = self.y + 3
        for low, high, sure in _windows(marks):
            if high < self.start or low > self.end:
                continue
            fill = PALE[AMBER] if sure else f"url(#{HATCH})"
            self.sheet.draw(
                "rect",
                x=self._x(low),
                y=y,
                width=self._x(high + DAY) - self._x(low),
                height=14,
                fill=fill,
                stroke=AMBER,
            )
        self._marks(inside, y + 7)
        named_days = [mark for mark in inside if mark.kind != "opt_out_reminder"]
        self.y += max(named, 26 + self._labels(named_days, y + 14 + STEP, titled=True))

    def row(self, row: Row) -> None:
        """The marks of one exchange, obligation or instrument, with their dates where there is room for all of them."""
        self._rule()
        one_each = list({mark.day: mark for mark in row.marks}.values())
        dated = apart([self._span(mark, titled=False)[:2] for mark in one_each], GAP)
        named = self._name(row.name, "" if dated else self._said("count", len(one_each)))
        self.sheet.draw("line", x1=LEFT, x2=RIGHT, y1=self.y + 8, y2=self.y + 8, stroke=GRID)
        self._marks(row.marks, self.y + 8)
        labels = self._labels(one_each, self.y + 16 + STEP, titled=False) if dated else 0.0
        self.y += max(named, 22 + labels)

    def destruction(self, marks: Sequence[Mark], inside: Sequence[Mark]) -> None:
        """From the end to the last day on which copies may exist."""
        ends = [mark.day for mark in marks if mark.kind == "ends"]
        deadlines = [mark.day for mark in marks if mark.kind == "destruction"]
        if not inside:
            return
        self._rule()
        named = self._name(self._said("purge"))
        y = self.y + 3
        if ends and deadlines:
            low, high = self._x(min(ends) + DAY), self._x(max(deadlines) + DAY)
            if high > low:
                self.sheet.draw("rect", x=low, y=y, width=high - low, height=14, fill=PALE[RED], stroke=RED)
        self._marks(sorted(inside, key=lambda mark: PURGE.index(mark.kind)), y + 7)
        self.y += max(named, 26 + self._labels(inside, y + 14 + STEP, titled=True))

    def close(self, value: Mapping[str, Any]) -> None:
        """End the lines of time: the grid behind them, and the day for which the convention was asked."""
        self._rule()
        for first, _ in spans(self.start, self.end, months=(self.end - self.start).days < MONTHS_SHOWN):
            self.grid.draw("line", x1=self._x(first), x2=self._x(first), y1=self.top, y2=self.y - 6, stroke=GRID)
        now = _as_of(value)
        if self.start <= now <= self.end:
            x = self._middle(now)
            self.grid.draw(
                "line", x1=x, x2=x, y1=self.top + STEP + 4, y2=self.y, stroke=FAINT, stroke_dasharray="4 3",
            )  # fmt: skip
            words = short(now, self.lang)
            half = width(words, SMALL) / 2
            x = min(max(x, LEFT + half), RIGHT - half)
            self.sheet.text(x, self.y + STEP - 2, words, SMALL, anchor="middle", fill=FAINT)
            self.y += STEP + 2
        self.y += 8

    def table(self, lines: Sequence[Line]) -> None:
        """Each date with its sign, its ground, and how it was found."""
        if not lines:
            self.sheet.text(MARGIN, self.y + STEP, self._said("none"), PLAIN, fill=FAINT)
            self.y += STEP + 8
            return
        self._table_row([self._said(word) for word in ("date", "what", "ground", "arithmetic")], bold=True)
        for line in lines:
            self._rule()
            self._sign(MARGIN + 7, self.y + STEP - 4, line.mark.kind, line.mark.basis)
            ground = ", ".join(part for part in (line.mark.article, self._said(line.mark.basis)) if part)
            self._table_row([line.when, line.what, ground, line.arithmetic], bold=False)
        self._rule()

    def _table_row(self, cells: Sequence[str], *, bold: bool) -> None:
        height = 0.0
        for words, (x, room) in zip(cells, COLUMNS, strict=True):
            found = wrapped(words, SMALL, room, bold=bold)
            for number, line in enumerate(found, 1):
                self.sheet.text(x, self.y + STEP * number, line, SMALL, bold=bold, fill=INK)
            height = max(height, STEP * len(found))
        self.y += height + 6

    def legend(self, value: Mapping[str, Any]) -> None:
        """What full, half and empty signs mean; the file that all this was computed from."""
        x = MARGIN + 7
        for basis in ("stated", "interpreted", "hub_policy"):
            self._sign(x, self.y + STEP - 4, "due", basis)
            self.sheet.text(x + 10, self.y + STEP, self._said(basis), SMALL, fill=INK)
            x += width(self._said(basis), SMALL) + 36
        file = self._said("file", value["sha256"])
        self.sheet.text(RIGHT, self.y + STEP, file, SMALL - 1, anchor="end", fill=FAINT)
        self.y += STEP + MARGIN

    def document(self, value: Mapping[str, Any], marks: Sequence[Mark]) -> str:
        """The whole as one SVG document, which fits the page or the window; its description says every date."""
        about = Sheet()
        name = value["id"]
        period = self._said("life", name, self._day(self.start), self._day(self.end))
        about.draw("title", f"{value['title'][self.lang]}. {period}", id=f"{name}-title")
        status = self._said("as_of", self._day(_as_of(value)), self._said(value["status"]))
        told = [f"{status}.", *(f"{self._told(mark)}." for mark in marks)]
        about.draw("desc", " ".join(told), id=f"{name}-desc")
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {self.y:.0f}" role="img"'
            f' lang="{self.lang}" aria-labelledby="{name}-title {name}-desc"'
            f' font-family="{FONT}">'
        )
        paper = f'<rect width="100%" height="100%" fill="{WHITE}"/>'
        return "\n".join([head, str(about), _HATCHED, paper, str(self.grid), str(self.sheet), "</svg>", ""])


HATCH = "unsure"
_HATCHED = (
    f'<defs><pattern id="{HATCH}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="6" height="6" fill="{WHITE}"/><rect width="2" height="6" fill="#9fb0c0"/></pattern></defs>'
)
_TABLE = MARGIN + 20
COLUMNS = ((_TABLE, 112.0), (_TABLE + 122, 250.0), (_TABLE + 382, 210.0), (_TABLE + 602, RIGHT - _TABLE - 602))


def _as_of(value: Mapping[str, Any]) -> date:
    return datetime.fromisoformat(value["as_of"]).astimezone(PARIS).date()


def spans(start: date, end: date, *, months: bool) -> list[tuple[date, date]]:
    """The civil years (or months) from ``start`` to ``end``, the first and the last cut to them."""
    found = []
    first = start
    while first <= end:
        after = date(first.year, first.month, 28) + 4 * DAY if months else date(first.year, 12, 31) + DAY
        after = after.replace(day=1)
        found.append((first, min(after - DAY, end)))
        first = after
    return found


def _windows(marks: Sequence[Mark]) -> list[tuple[date, date, bool]]:
    """From the first reminder of a term to its safe day; then, not sure, to the last valid day where that is another."""
    found = []
    since: date | None = None
    for mark in marks:
        if mark.kind == "opt_out_reminder":
            since = since or mark.day
        elif mark.kind == "opt_out_safe_day":
            found.append((since or mark.day, mark.day, True))
            since = None
        else:
            found.append((found[-1][1] + DAY if found else mark.day, mark.day, False))
    return found


def _left_half(shape: Sequence[tuple[float, float]], middle: float) -> list[tuple[float, float]]:
    """What of a polygon is left of ``middle`` (Sutherland and Hodgman's clipping, one edge)."""
    found: list[tuple[float, float]] = []
    for (x1, y1), (x2, y2) in zip(shape, [*shape[1:], shape[0]], strict=True):
        if x1 <= middle:
            found.append((x1, y1))
        if (x1 < middle < x2) or (x2 < middle < x1):
            found.append((middle, y1 + (y2 - y1) * (middle - x1) / (x2 - x1)))
    return found
