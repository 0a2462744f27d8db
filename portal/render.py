"""How the command line speaks: French or English, people or programs, the answer on stdout and the fault on stderr.

A command makes one ``Screen`` and says everything through it. With ``--json`` the same calls stay silent but for
``answer``, so that one JSON value, and nothing else, reaches stdout. rich is imported at the first line for people.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TextIO

from passerelle.errors import ConventionFileError, GateRefusedError, PasserelleError
from portal.faults import told

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Styled

Lang = Literal["fr", "en"]

WIDTH_OF_A_PAGE = 110  # characters, for the timeline when stdout is a file or a pipe
_UNBOUNDED = 10_000  # characters: a table in a file is never folded

_MONTHS: Mapping[Lang, tuple[str, ...]] = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Tone(StrEnum):
    """What an outcome means to its reader; the value is a rich style."""

    PLAIN = ""
    DONE = "green"
    REFUSED = "red"
    WARNED = "yellow"
    FAINT = "dim"
    STRONG = "bold"


_SIGNS: Mapping[Tone, str] = {Tone.DONE: "✓ ", Tone.REFUSED: "✗ ", Tone.WARNED: "! "}


class Text(NamedTuple):
    """One sentence in both languages."""

    fr: str
    en: str


Words = Text | str
Rows = Iterable[Sequence[object]]


def language(chosen: str | None = None) -> Lang:
    """The language to speak: ``--lang``, else PASSERELLE_LANG, else the locale; French unless English is named."""
    places = ("PASSERELLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    named = chosen or next((value for name in places if (value := os.environ.get(name))), "")
    return "en" if named.lower().startswith("en") else "fr"


def day(value: date, lang: Lang) -> str:
    """``value`` as people write it: "1er mars 2026", "1 March 2026"."""
    number = "1er" if lang == "fr" and value.day == 1 else str(value.day)
    return f"{number} {_MONTHS[lang][value.month - 1]} {value.year}"


def number(value: float, lang: Lang, decimals: int = 0) -> str:
    """``value`` as people write it: "50 437" with narrow no-break spaces and a decimal comma, or "50,437"."""
    english = f"{value:,.{decimals}f}"
    return english if lang == "en" else english.translate({ord(","): "\u202f", ord("."): ","})


def share(value: float, lang: Lang, decimals: int = 1) -> str:
    """A share between 0 and 1 as a percentage: "3,1 %" or "3.1%"."""
    return number(100 * value, lang, decimals) + ("\u202f%" if lang == "fr" else "%")


def small(value: float, lang: Lang) -> str:
    """A chance as people write it: "4,9 × 10⁻¹⁷", "0"."""
    if not value:
        return "0"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{number(float(digits), lang, 1)} × 10{str(int(power)).translate(_RAISED)}"


def size(octets: int, lang: Lang) -> str:
    """A size in bytes, by powers of 1000: "1,2 Mo" or "1.2 MB"."""
    unit = "o" if lang == "fr" else "B"
    scaled = float(octets)
    for prefix in ("", "k", "M", "G"):
        if scaled < 1000 or prefix == "G":  # noqa: PLR2004 -- the SI step, named in the docstring
            break
        scaled /= 1000
    return f"{number(scaled, lang, 1 if prefix else 0)} {prefix}{unit}"


def harmless(text: str) -> str:
    """``text`` with control and direction characters written out, so that a file's header cannot drive the terminal."""
    return "".join(
        character
        if unicodedata.category(character) not in {"Cc", "Cf"} or character == "\n"
        else f"\\u{ord(character):04x}"
        for character in text
    )


class Screen:
    """What one command says, in one language.

    Callers MUST give ``answer`` exactly once when ``as_json``; everything else is then silent.
    """

    def __init__(
        self, lang: Lang, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.lang: Lang = lang
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def words(self, text: Words) -> str:
        """``text`` in the screen's language, harmless."""
        return harmless(text if isinstance(text, str) else getattr(text, self.lang))

    def answer(self, value: object, show: Callable[[], None]) -> None:
        """Give the command's answer: ``value`` as one JSON value, or ``show()`` for people."""
        if self.as_json:
            json.dump(value, self._out, ensure_ascii=False, indent=2, sort_keys=True)
            self._out.write("\n")
        else:
            show()

    def put(self, document: bytes) -> None:
        """A document for a file or another program on stdout, byte for byte, in UTF-8."""
        self._out.flush()
        if (buffer := getattr(self._out, "buffer", None)) is not None:
            buffer.write(document)
            buffer.flush()
        else:
            self._out.write(document.decode())

    def say(self, text: Words = "", tone: Tone = Tone.PLAIN) -> None:
        """One line, never folded; done, refused and warned also carry a sign, for those who see no colour."""
        if not self.as_json:
            _console(self._out).print(_SIGNS.get(tone, "") + self.words(text), style=tone.value, soft_wrap=True)

    def heading(self, text: Words) -> None:
        """A title with an empty line before it."""
        self.say()
        self.say(text, Tone.STRONG)

    def facts(self, pairs: Iterable[tuple[Words, object]]) -> None:
        """Labels and their values, aligned in two columns."""
        if self.as_json:
            return
        table = _grid(("dim", ""), (None, None))
        for label, value in pairs:
            table.add_row(self.cell(label), self.cell(value))
        self.show(table)

    def table(
        self, titles: Sequence[Words], rows: Rows, *, right: frozenset[int] = frozenset(), apart: bool = False
    ) -> None:
        """Rows under titles; columns whose index is in ``right`` are aligned on the right (figures).

        ``apart`` leaves an empty line between rows of several lines.
        """
        if self.as_json:
            return
        from rich.table import Table

        rows = list(rows)
        if not rows:
            self.say(Text("Rien à montrer.", "Nothing to show."), Tone.FAINT)
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for index, title in enumerate(titles):
            table.add_column(self.cell(title), justify="right" if index in right else "left", overflow="fold")
        for position, row in enumerate(rows):
            if apart and position:
                table.add_row()
            table.add_row(*(self.cell(cell) for cell in row))
        self.show(table)

    def error(self, fault: PasserelleError) -> None:
        """The fault on stderr: ``error:``, each fault of a file, the gate's ``reason:``, then ``hint:``."""
        lines = [f"error: {told(fault, self.lang)}"]
        if isinstance(fault, ConventionFileError):
            lines += [f"  {line}" for line in fault.faults]
        if isinstance(fault, GateRefusedError):
            lines.append(f"reason: {fault.reason}" + (f" ({fault.article})" if fault.article else ""))
        hint = (fault.hint_fr if self.lang == "fr" else None) or fault.hint
        if hint:
            lines.append(f"hint: {hint}")
        for line in lines:
            _console(self._err).print(harmless(line), soft_wrap=True)

    @contextmanager
    def progress(self, label: Words, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Show on a terminal's stderr how far a work of ``total`` units is; the caller adds units as it goes."""
        if self.as_json or not self._err.isatty():
            yield lambda _units: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        columns += [BarColumn(), MofNCompleteColumn()] if total else []
        with Progress(*columns, console=_console(self._err), transient=True) as bar:
            task = bar.add_task(self.words(label), total=total)
            yield lambda units: bar.advance(task, units)

    def show(self, table: Table, width: int = _UNBOUNDED) -> None:
        """Print ``table``; ``width`` bounds it where stdout is not a terminal, without spaces at the ends of lines."""
        if self.as_json:
            return
        if self._out.isatty():
            _console(self._out).print(table)
            return
        console = _console(self._out, width)
        with console.capture() as capture:
            console.print(table)
        self._out.writelines(line.rstrip() + "\n" for line in capture.get().splitlines())
        self._out.flush()

    def cell(self, value: object) -> Styled:
        """``value`` as a reader wants it in a table: dates and integers in full, yes or no, a dash for nothing."""
        from rich.text import Text as Styled

        if isinstance(value, date):
            return Styled(day(value, self.lang))
        if isinstance(value, bool):
            value = Text("oui", "yes") if value else Text("non", "no")
        if isinstance(value, int):
            return Styled(number(value, self.lang))
        words = self.words(value if isinstance(value, Text) else "–" if value is None else str(value))
        return Styled(_unbroken(words) if self.lang == "fr" else words)


def _console(stream: TextIO, width: int = _UNBOUNDED) -> Console:
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else width, markup=False, highlight=False, emoji=False)


def _unbroken(french: str) -> str:
    """French text whose marks stay with the word they belong to where a line is folded."""
    return re.sub(r" (?=[:;?!»](?:\s|$))", "\u00a0", french).replace("« ", "«\u00a0")


def _grid(styles: Sequence[str], widths: Sequence[int | None]) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    for style, width in zip(styles, widths, strict=True):
        table.add_column(style=style, width=width, overflow="fold")
    return table


class Ended(Protocol):
    """Says how a step ended; called once or more."""

    def __call__(self, outcome: Words, tone: Tone = Tone.DONE) -> None: ...


class Timeline:
    """The demo's story: under each day, one numbered step after the other, with who acts, what they do and how it ended."""

    def __init__(self, screen: Screen, steps: int, longest_name: int = 16) -> None:
        self._screen = screen
        self._steps = steps
        self._widths = (2 * len(str(steps)) + 3, longest_name, None)
        self._told = 0
        self._day: date | None = None

    @contextmanager
    def step(self, on: date, who: Words, what: Words) -> Iterator[Ended]:
        """Play one step; the caller says how it ended with the function it is given.

        Example:
            with timeline.step(today, "DPO", Text("vérifie le journal", "verifies the trail")) as ended:
                ended(Text("intact : 42 entrées", "intact: 42 entries"))
        """
        self._told += 1
        outcomes: list[tuple[Words, Tone]] = []

        def ended(outcome: Words, tone: Tone = Tone.DONE) -> None:
            outcomes.append((outcome, tone))

        with self._screen.progress(what):
            yield ended
        if not self._screen.as_json:
            self._tell(on, who, what, outcomes)

    def _tell(self, on: date, who: Words, what: Words, outcomes: list[tuple[Words, Tone]]) -> None:
        if on != self._day:
            self._screen.heading(day(on, self._screen.lang))
            self._day = on
        cell = self._screen.cell
        table = _grid(("dim", "bold", ""), self._widths)
        count = f"{self._told:>{len(str(self._steps)) + 2}}/{self._steps}"
        table.add_row(count, cell(who), cell(what))
        for outcome, tone in outcomes:
            line = cell(_SIGNS.get(tone, "") + self._screen.words(outcome))
            line.stylize(tone.value)
            table.add_row("", "", line)
        self._screen.show(table, WIDTH_OF_A_PAGE)
