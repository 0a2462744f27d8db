"""The parts of an SVG picture that must look alike everywhere: how wide words are, and the elements that carry them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from portal.render import harmless

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
BOLD = 1.08  # how much wider bold letters are, about

# Advance widths of Helvetica in thousandths of the size (Adobe's font metrics), by letter; accents add nothing.
_WIDTHS = {
    letter: width
    for width, letters in {
        191: "'", 222: "ijl’‘", 260: "|", 278: " !,./:;I[]ft\\·\u00a0\u202f", 333: "()-`r“”", 355: '"', 389: "*",
        400: "°", 500: "Jcksvxyz", 556: "#$0123456789?L_abdeghnopqu«»§–", 584: "+<=>~×÷", 611: "FTZ",
        667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%", 944: "Wœ", 1000: "Œ—→…", 1015: "@",
    }.items()
    for letter in letters
}  # fmt: skip
_WIDEST = 1000
_TOGETHER = re.compile(r"(?<=[0-9]) (?=\w)|(?<=[0-9]er) (?=\w)| (?=[;:?!»])|(?<=«) |(?<=[=+-]) (?=[0-9])")


def width(words: str, size: float, *, bold: bool = False) -> float:
    """How wide ``words`` are, in units of the picture; a picture that says so to its reader is as wide in every font."""
    letters = unicodedata.normalize("NFD", words)
    total = sum(_WIDTHS.get(letter, _WIDEST) for letter in letters if not unicodedata.combining(letter))
    return total * size / 1000 * (BOLD if bold else 1)


def wrapped(words: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """``words`` in lines that are no wider than ``room`` as far as single words allow; at least one line.

    A number stays with the word after it, a sign of French punctuation with the word that it belongs to.
    """
    lines = [""]
    for word in _TOGETHER.sub("\u00a0", words).split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and width(longer, size, bold=bold) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class Sheet:
    """The elements of a picture, in the order in which they are drawn."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def draw(self, name: str, content: str | None = None, /, **attributes: object) -> None:
        """One element; ``_`` in a name of an attribute stands for ``-``, numbers have two decimals at most."""
        given = "".join(f" {key.replace('_', '-')}={quoteattr(_shown(value))}" for key, value in attributes.items())
        self._parts.append(f"<{name}{given}/>" if content is None else f"<{name}{given}>{escape(content)}</{name}>")

    def text(
        self, x: float, y: float, words: str, size: float, *, anchor: str = "start", bold: bool = False, fill: str,
        halo: bool = False,
    ) -> None:  # fmt: skip
        """One line of words whose baseline is at ``y``; the reader's font is fitted to the width that was counted on.

        A ``halo`` keeps lines that pass behind away from the letters.
        """
        said = harmless(words)
        around = {"stroke": "#ffffff", "stroke_width": 3, "paint_order": "stroke"} if halo else {}
        self.draw(
            "text", said, x=x, y=y, font_size=size, text_anchor=anchor, fill=fill,
            font_weight="bold" if bold else "normal", textLength=width(said, size, bold=bold),
            lengthAdjust="spacingAndGlyphs", **around,
        )  # fmt: skip

    def polygon(self, points: Sequence[tuple[float, float]], **attributes: object) -> None:
        self.draw("polygon", points=" ".join(f"{_shown(x)},{_shown(y)}" for x, y in points), **attributes)

    @contextmanager
    def titled(self, words: str) -> Iterator[None]:
        """What is drawn inside belongs together; a pointer that rests on it shows ``words``."""
        self._parts.append(f"<g><title>{escape(harmless(words))}</title>")
        yield
        self._parts.append("</g>")

    def add(self, markup: str) -> None:
        """Markup without any words from outside."""
        self._parts.append(markup)

    def __str__(self) -> str:
        return "\n".join(self._parts)


def _shown(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def levels(spans: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """For spans in the order of their beginnings, the lowest level on which each stays ``gap`` away from the others."""
    ends: list[float] = []
    found = []
    for low, high in spans:
        level = next((n for n, end in enumerate(ends) if end + gap <= low), len(ends))
        ends[level:] = [high, *ends[level + 1 :]]
        found.append(level)
    return found


def apart(spans: Sequence[tuple[float, float]], gap: float) -> bool:
    """Whether spans in the order of their beginnings all stay ``gap`` away from each other."""
    return all(high + gap <= low for (_, high), (low, _) in pairwise(spans))
