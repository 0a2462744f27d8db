"""The picture of a convention's life: what it shows, and that it can be read."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.convention import Convention, Event, calendar_entries, load_folder, show
from passerelle.errors import UsageError
from portal.cli import run
from portal.picture import picture
from portal.picture.page import SHAPES
from portal.picture.svg import apart, levels, width, wrapped
from portal.render import Lang, day
from tests.gateway import SHARED, Gateway

SVG = "{http://www.w3.org/2000/svg}"
LONG_AGO = date(1900, 1, 1)
LANGS: tuple[Lang, ...] = ("fr", "en")
CSP = "csp-ft-2024"
LETTER = {"e": "termination_letter", "form": "registered_letter_ar", "by": "unml", "received_on": "2028-02-10"}
LIVES: dict[str, tuple[list[dict[str, Any]], date, date]] = {
    CSP: ([], date(2024, 1, 1), date(2030, 12, 31)),
    "paca-pe-2016": ([{"e": "signed", "on": "2016-03-31"}], date(2016, 1, 1), date(2020, 6, 30)),
    "face-pe-2014": ([], date(2014, 1, 1), date(2018, 12, 31)),
    "geiq-amilaura-2024": ([], date(2024, 10, 1), date(2026, 3, 31)),
    "oce-ge-charter": ([{"e": "signed", "on": "2025-02-03"}, {"e": "denounced", "on": "2026-05-20"}], date(2025, 1, 1), date(2026, 12, 31)),
}  # fmt: skip


class Box(NamedTuple):
    """Where a line of words is, and what it says."""

    words: str
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@pytest.fixture(scope="module")
def conventions(root: Path) -> dict[str, Convention]:
    """The conventions that the project ships, by id."""
    return load_folder(root / "conventions")


def _told(convention: Convention, rows: list[dict[str, Any]], end: date) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the picture is made from."""
    events = tuple(Event.from_json(row) for row in rows)
    as_of = datetime(2026, 11, 20, 12, tzinfo=convention.zone)
    return show(convention, events, as_of), calendar_entries(convention, events, LONG_AGO, end)


def _drawn(convention: Convention, lang: Lang) -> str:
    rows, start, end = LIVES[convention.id]
    return picture(*_told(convention, rows, end), lang, start, end)


def _delivered(on: date, subject: str = "candidate-pools") -> dict[str, Any]:
    title = {"fr": f"Échange « {subject} »", "en": f"Exchange “{subject}”"}
    nothing = {"fr": "", "en": ""}
    return {
        "date": on.isoformat(), "convention": CSP, "kind": "delivered", "subject": subject, "title": title,
        "basis": "stated", "article": "art. 3 (commun), point 1", "arithmetic": nothing,
    }  # fmt: skip


def _boxes(document: str) -> list[Box]:
    """The boxes of all the words: the widths are those that the document imposes on its reader's font."""
    found = []
    for text in ET.fromstring(document).iter(f"{SVG}text"):  # noqa: S314 - our own document
        size, wide = float(text.attrib["font-size"]), float(text.attrib["textLength"])
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]]
        left, base = float(text.attrib["x"]) - share * wide, float(text.attrib["y"])
        found.append(Box(text.text or "", left, base - 0.75 * size, left + wide, base + 0.22 * size))
    return found


def _readable(document: str) -> None:
    """Every line of words is on the page and on no other."""
    _, _, wide, high = map(float, ET.fromstring(document).attrib["viewBox"].split())  # noqa: S314 - ours
    boxes = _boxes(document)
    off = [box for box in boxes if box.left < 0 or box.top < 0 or box.right > wide or box.bottom > high]
    assert off == []
    over = [(one, two) for n, one in enumerate(boxes) for two in boxes[n + 1 :] if one.covers(two)]
    assert over == []


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", LIVES)
def test_the_words_of_the_five_conventions_can_be_read(
    conventions: dict[str, Convention], name: str, lang: Lang
) -> None:
    """In both languages every label of the five pictures lies on the page, and none on another."""
    document = _drawn(conventions[name], lang)
    assert len(_boxes(document)) > 15
    _readable(document)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", LIVES)
def test_every_date_is_told(conventions: dict[str, Convention], name: str, lang: Lang) -> None:
    """Each entry of the period has its sign, with its date and its title in words, and is in the description."""
    rows, start, end = LIVES[name]
    _, entries = _told(conventions[name], rows, end)
    inside = [entry for entry in entries if start <= date.fromisoformat(entry["date"]) <= end]
    root = ET.fromstring(_drawn(conventions[name], lang))  # noqa: S314 - our own document
    signs = [title.text or "" for group in root.iter(f"{SVG}g") for title in group.findall(f"{SVG}title")]
    description = root.findtext(f"{SVG}desc") or ""
    assert inside
    assert len(signs) == len(inside)
    for entry in inside:
        words = day(date.fromisoformat(entry["date"]), lang)
        assert any(sign.startswith(words) and entry["title"][lang] in sign for sign in signs)
        assert words in description


def test_the_table_says_how_each_date_was_found(conventions: dict[str, Convention]) -> None:
    """The arithmetic of the term's own dates, their article and their ground stand in the table."""
    words = "\u00a0".join(box.words for box in _boxes(_drawn(conventions["paca-pe-2016"], "fr"))).replace("\u00a0", " ")
    assert "31 décembre 2019 + 2 mois = 29 février 2020, sans report" in words
    assert "art. 24, selon le texte" in words
    assert "règle de la passerelle" in words


def test_the_picture_stands_alone(conventions: dict[str, Convention]) -> None:
    """Nothing in it is fetched or run; it has a name, a description, a language."""
    document = _drawn(conventions[CSP], "en")
    root = ET.fromstring(document)  # noqa: S314 - our own document
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "defs", "pattern", "rect", "line", "polygon", "text", "g",
    }  # fmt: skip
    assert not re.search(r"href|url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", document)
    assert root.attrib["lang"] == "en"
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert root.attrib["role"] == "img"
    assert set(root.attrib["aria-labelledby"].split()) <= ids


def test_no_sign_differs_from_another_by_colour_alone() -> None:
    """Each kind of date has a shape of its own."""
    assert len(set(SHAPES.values())) == len(SHAPES) > 8


def test_the_pieces_of_a_life(conventions: dict[str, Convention]) -> None:
    """Terms are numbered from the first, even out of sight; an end that the text leaves open is said in words."""
    value, entries = _told(conventions[CSP], [], date(2031, 1, 1))
    later = {box.words for box in _boxes(picture(value, entries, "fr", date(2028, 1, 1), date(2031, 1, 1)))}
    assert {"2e période", "3e période"} <= later
    assert "1re période" not in later
    said = {name: {box.words for box in _boxes(_drawn(conventions[name], "fr"))} for name in LIVES}
    assert "fin non stipulée\u00a0: indéterminé" in said["face-pe-2014"]
    assert "en vigueur" in said["geiq-amilaura-2024"]
    value, entries = _told(conventions["oce-ge-charter"], [], date(2026, 1, 1))
    blank = {box.words for box in _boxes(picture(value, entries, "fr", date(2025, 1, 1), date(2026, 1, 1)))}
    assert "jamais en vigueur dans cette période" in blank
    value, entries = _told(conventions["paca-pe-2016"], [], date(2020, 6, 30))
    unsigned = {box.words for box in _boxes(picture(value, entries, "fr", date(2016, 1, 1), date(2020, 6, 30)))}
    assert "prise d'effet non enregistrée" in unsigned


def test_a_disputed_end_is_hatched(conventions: dict[str, Convention]) -> None:
    """What comes after a disputed opt-out is said to be disputed, and drawn otherwise than what is sure."""
    denounced = {"e": "denounced", "by": "mtss", "sent_on": "2026-12-10", "received_on": "2026-12-14"}
    value, entries = _told(conventions[CSP], [denounced], date(2030, 1, 1))
    assert value["dates"]["last_day_in_force"]["status"] == "disputed"
    document = picture(value, entries, "en", date(2024, 1, 1), date(2030, 1, 1))
    assert "term 2, disputed" in {box.words for box in _boxes(document)}
    assert document.count("url(#unsure)") == 1


def test_an_empty_period_is_refused(conventions: dict[str, Convention]) -> None:
    """A picture that would end before it starts is not drawn."""
    value, entries = _told(conventions[CSP], [], date(2025, 1, 1))
    with pytest.raises(UsageError):
        picture(value, entries, "fr", date(2025, 1, 2), date(2025, 1, 1))


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(LIVES)),
    lang=st.sampled_from(LANGS),
    start=st.dates(date(2013, 1, 1), date(2033, 1, 1)),
    length=st.integers(0, 4000) | st.integers(0, 60),
    late=st.booleans(),
    delivered=st.lists(st.integers(0, 4000), max_size=40),
)
def test_any_period_can_be_read(
    conventions: dict[str, Convention],
    *,
    name: str,
    lang: Lang,
    start: date,
    length: int,
    late: bool,
    delivered: list[int],
) -> None:
    """Whatever the convention, the period, its end by letter and its deliveries, no label leaves the page or meets another."""
    rows, _, _ = LIVES[name]
    end = start + timedelta(days=length)
    value, entries = _told(conventions[name], rows + [LETTER] * late, end)
    entries += [_delivered(start + timedelta(days=days % (length + 1)), f"exchange-{days % 3}") for days in delivered]
    _readable(picture(value, entries, lang, start, end))


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 300)), max_size=30), st.floats(0, 20))
def test_levels_keep_labels_apart(found: list[tuple[float, float]], gap: float) -> None:
    """On each level labels stay apart, and the first level is used first."""
    spans = sorted((low, low + wide) for low, wide in found)
    told = levels(spans, gap)
    for level in set(told):
        assert apart([span for span, at in zip(spans, told, strict=True) if at == level], gap)
    assert told[:1] in ([], [0])


@given(st.text(), st.text(), st.floats(5, 40))
def test_width_is_the_sum_of_its_letters(one: str, two: str, size: float) -> None:
    """Words side by side are as wide as each of them together, and accents add nothing."""
    assert width(one + two, size) == pytest.approx(width(one, size) + width(two, size)) or one
    assert width("é", size) == width("e", size)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=30), st.floats(60, 400))
def test_wrapping_loses_no_word(words: list[str], room: float) -> None:
    """Wrapped words are all there in their order, and no line of theirs is wider than the room."""
    found = wrapped(" ".join(words), 10, room)
    assert " ".join(found).split() == words
    assert all(width(line, 10) <= room for line in found)


def test_a_number_stays_with_its_word() -> None:
    """A date's day is not parted from its month at the end of a line, nor a colon from the word before it."""
    assert wrapped("fin le 6 janvier : oui", 10, width("fin le 6", 10)) == ["fin le", "6\u00a0janvier\u00a0:", "oui"]


def test_the_command_draws_what_was_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command writes the picture of a convention with the days on which something left."""
    gateway = Gateway.create(tmp_path, "2015-03-02T10:00:00+01:00").partner("face")
    assert gateway.run(SHARED, "2014", gateway.write(SHARED, 40), "pole-emploi").state == "delivered"
    gateway.workspace.close()
    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_NOW", "2015-03-03T10:00:00+01:00")
    monkeypatch.setenv("PASSERELLE_LANG", "fr")
    out = tmp_path / "life.svg"
    arguments = [
        "convention",
        "picture",
        "face-pe-2014",
        "--from",
        "2014-01-01",
        "--to",
        "2016-12-31",
        "--out",
        str(out),
    ]
    assert run(arguments) == 0
    assert "dessinée" in capsys.readouterr().out
    document = out.read_text("utf-8")
    assert "2 mars 2015\u00a0: Études réalisées par les deux partenaires" in document
    assert "3 mars 2015" in document
    _readable(document)
    assert run([*arguments[:5], "--to", "2013-12-31", "--out", str(out)]) == 2
