"""What the command line shows, to people and to programs."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import ConventionFileError, GateRefusedError, PasserelleError, TrailError, UsageError
from portal.render import Lang, Screen, Text, Timeline, Tone, day, harmless, language, number, share, size, small


@pytest.fixture
def out() -> io.StringIO:
    """What people read."""
    return io.StringIO()


@pytest.fixture
def err() -> io.StringIO:
    """Where faults are told."""
    return io.StringIO()


def _lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("named", "chosen", "expected"),
    [
        ({}, None, "fr"),
        ({"LANG": "C.UTF-8"}, None, "fr"),
        ({"LANG": "en_GB.UTF-8"}, None, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "fr_CH.UTF-8"}, None, "fr"),
        ({"LANG": "fr_FR.UTF-8", "PASSERELLE_LANG": "en"}, None, "en"),
        ({"PASSERELLE_LANG": "en"}, "fr", "fr"),
    ],
)
def test_the_language_is_chosen(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], chosen: str | None, expected: Lang
) -> None:
    """The option, then PASSERELLE_LANG, then the locale choose the language, French unless it is English."""
    for name in ("PASSERELLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert language(chosen) == expected


def test_dates_are_written_as_people_write_them() -> None:
    """The first of a month is "1er" in French, and months have their names."""
    assert day(date(2026, 3, 1), "fr") == "1er mars 2026"
    assert day(date(2026, 8, 31), "fr") == "31 août 2026"
    assert day(date(2026, 3, 1), "en") == "1 March 2026"


def test_figures_are_written_as_people_write_them() -> None:
    """French has narrow no-break spaces and a decimal comma, English commas and a point."""
    assert (number(50437, "fr"), number(50437, "en")) == ("50\u202f437", "50,437")
    assert (share(0.0313, "fr"), share(0.0313, "en")) == ("3,1\u202f%", "3.1%")
    assert (size(1_234_567, "fr"), size(1_234_567, "en")) == ("1,2 Mo", "1.2 MB")
    assert (small(4.9e-17, "fr"), small(4.9e-17, "en"), small(0, "fr")) == ("4,9 × 10⁻¹⁷", "4.9 × 10⁻¹⁷", "0")
    assert (size(999, "fr"), size(5 * 10**12, "en")) == ("999 o", "5,000.0 GB")


@given(st.text())
def test_no_text_can_drive_the_terminal(text: str) -> None:
    """Whatever a file holds, no control or direction character reaches the terminal but the line end."""
    shown = harmless(text)
    assert not any(ord(character) < 32 and character != "\n" for character in shown)
    assert not {"\x7f", "\x9b", "\u202e", "\u2066", "\u200b"} & set(shown)


def test_an_answer_for_a_program_is_one_json_value_and_nothing_else(out: io.StringIO, err: io.StringIO) -> None:
    """With --json, only the answer reaches stdout, and nothing reaches stderr."""
    screen = Screen("fr", as_json=True, out=out, err=err)
    screen.heading("Titre")
    screen.say("bonjour", Tone.DONE)
    screen.facts([("a", 1)])
    screen.table(["a"], [[1]])
    with screen.progress("travail", 3) as advance, Timeline(screen, 1).step(date(2026, 1, 1), "DPO", "lit") as ended:
        advance(1)
        ended("lu")
    screen.answer({"été": [1, None]}, pytest.fail)
    assert json.loads(out.getvalue()) == {"été": [1, None]}
    assert "été" in out.getvalue()
    assert err.getvalue() == ""


def test_a_table_is_aligned_and_never_folded_in_a_file(out: io.StringIO) -> None:
    """Columns are aligned, figures on the right, and a long cell stays on its line."""
    screen = Screen("fr", out=out)
    screen.table([Text("Étape", "Step"), "n"], [["x" * 300, 12], ["lues", 50437], [None, True]], right=frozenset({1}))
    lines = _lines(out)
    assert len(lines) == 4
    assert lines[2].startswith("lues")
    assert lines[2].endswith("50\u202f437")
    assert len(lines[1]) == len(lines[2])
    assert lines[3].startswith("–")
    assert lines[3].endswith("oui")


def test_square_brackets_are_text(out: io.StringIO) -> None:
    """A text in square brackets is shown as it is."""
    Screen("en", out=out).say("[red]not a colour[/red]")
    assert _lines(out) == ["[red]not a colour[/red]"]


def test_the_timeline_tells_who_did_what_and_how_it_ended(out: io.StringIO) -> None:
    """Under each day, a step has its number, its actor, the act, then how it ended with a sign."""
    timeline = Timeline(Screen("fr", out=out), steps=12)
    for on, what in ((date(2024, 9, 1), "vérifie " * 30), (date(2024, 9, 1), "lit"), (date(2024, 9, 2), "signe")):
        with timeline.step(on, "France Travail", Text(what, "")) as ended:
            ended("intact")
    with timeline.step(date(2024, 9, 2), "DPO", "demande le vivier") as ended:
        ended(Text("refusé : article 7", "refused"), Tone.REFUSED)
        ended("rien n’est parti", Tone.PLAIN)
    lines = _lines(out)
    assert lines[1] == "1er septembre 2024"
    assert lines[2].startswith("   1/12  France Travail    vérifie vérifie")
    assert lines[-9:] == [
        "   2/12  France Travail    lit",
        "                           ✓ intact",
        "",
        "2 septembre 2024",
        "   3/12  France Travail    signe",
        "                           ✓ intact",
        "   4/12  DPO               demande le vivier",
        "                           ✗ refusé\u00a0: article 7",
        "                           rien n’est parti",
    ]
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (PasserelleError("expected a, b came", where="f:3"), ["error: f:3: expected a, b came"]),
        (TrailError("root differs", hint="keep it"), ["error: root differs", "hint: keep it"]),
        (
            ConventionFileError("2 faults", faults=("f:1: x", "f:2: y")),
            ["error: 2 faults", "  f:1: x", "  f:2: y"],
        ),
        (
            GateRefusedError("refused", reason="missing_instrument:x", article="art. 3", hint="record it"),
            ["error: refused", "reason: missing_instrument:x (art. 3)", "hint: record it"],
        ),
    ],
)
def test_a_fault_says_what_where_and_what_to_do(
    out: io.StringIO, err: io.StringIO, fault: PasserelleError, expected: list[str]
) -> None:
    """A fault goes to stderr with its reason and its hint, and leaves stdout alone."""
    Screen("en", as_json=True, out=out, err=err).error(fault)
    assert _lines(err) == expected
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (UsageError("no workspace", fr="pas d'espace de travail"), ["error: pas d'espace de travail"]),
        (
            GateRefusedError("x is refused", fr="x est refusé", reason="not_in_force", hint="see", hint_fr="voyez"),
            ["error: x est refusé", "reason: not_in_force", "hint: voyez"],
        ),
        (
            TrailError("root differs", where="head", hint="keep it"),
            ["error: le registre de preuve ne tient pas (head: root differs)", "hint: keep it"],
        ),
        (PasserelleError("odd"), ["error: preuve non établie (odd)"]),
    ],
)
def test_a_french_reader_learns_what_went_wrong(
    out: io.StringIO, err: io.StringIO, fault: PasserelleError, expected: list[str]
) -> None:
    """A fault is told in its own French, or at least by who must act; the codes stay as programs know them."""
    Screen("fr", out=out, err=err).error(fault)
    assert _lines(err) == expected
    assert out.getvalue() == ""
