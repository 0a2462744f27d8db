"""The page of a verdict: two languages, nothing from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from checks.page import page
from checks.words import WORDS
from passerelle.contract import Kind
from passerelle.profile import ColumnProfile, Coverage, Finding, Listing, Profile, Rest, RuleCount, Verdict

HOSTILE = '<img src=//x onerror="alert(1)">'
VOID = {"meta", "input", "line", "rect"}


class _Reader(HTMLParser):
    """Collects the elements of a page, and that each is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _profile(period: str, read: int = 50437) -> Profile:
    columns = (
        ColumnProfile("rome", Kind.CODE, required=True, nulls=0, distinct=2, top=((HOSTILE, 20000), ("M1801", 11))),
        ColumnProfile("projects", Kind.COUNT, required=False, nulls="<11", secret=15131, lowest="0", highest="12900"),
        ColumnProfile("published_on", Kind.DATE, required=True, nulls=0, lowest="2023-01-09", highest="2023-04-30"),
        ColumnProfile("rate", Kind.DECIMAL, required=True, nulls=0, lowest="0.5", highest="87.25"),
        ColumnProfile("born_on", Kind.DATE, required=True, nulls=0, lowest="1961", highest="2004"),
    )
    return Profile(period, read, read - 412, 412, (RuleCount("siret_key", "siret", "<11"),), columns)


@pytest.fixture
def verdict() -> Verdict:
    """A verdict with one failure of each kind."""
    return Verdict(
        passed=False,
        findings=(
            Finding("volume", passed=False, fr="Le volume a doublé.", en="The volume doubled.", observed_public="2.4"),
            Finding("history", passed=False, fr="Peu d'historique.", en="Little history.", level="warning"),
            Finding("required:rome", passed=True, fr="Toujours remplie.", en="Always filled."),
        ),
    )


@pytest.fixture
def html(verdict: Verdict) -> str:
    """The page of that verdict."""
    return page(verdict, _profile("2023"), [_profile("2021", 48000), _profile("2022", 49000)], subject="face/studies")


@pytest.fixture
def reader(html: str) -> _Reader:
    """The page, read."""
    found = _Reader()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


def test_a_page_loads_nothing_and_runs_nothing(html: str, reader: _Reader) -> None:
    """No element or style of the page refers to anything outside it, there is no script, and its policy forbids both."""
    names = {tag for tag, _ in reader.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "audio", "video", "use", "image"}
    attributes = {name for _, attrs in reader.elements for name in attrs}
    assert not {name for name in attributes if name.startswith("on")} | (
        attributes & {"src", "href", "action", "srcset"}
    )
    assert not re.search(r"url\(|@import|https?:|//\w", re.sub(re.escape("&lt;img src=//x"), "", html))
    policies = [attrs["content"] for tag, attrs in reader.elements if attrs.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_a_hostile_code_is_text(html: str, reader: _Reader) -> None:
    """A code of the file that looks like markup is shown as text."""
    assert "<img" not in html
    assert HOSTILE in "".join(reader.text)


def test_a_page_says_all_in_both_languages(reader: _Reader) -> None:
    """The French and the English part each carry the findings, and each part declares its language."""
    parts = [attrs["lang"] for tag, attrs in reader.elements if tag == "main"]
    text = "".join(reader.text)
    assert parts == ["fr", "en"]
    assert all(
        words in text for words in ("Le volume a doublé.", "The volume doubled.", "Fichier refusé", "File refused")
    )
    assert "3\u00a0contrôles, 1\u00a0manquement, 1\u00a0avertissement." in text
    assert "3 checks, 1 failure, 1 warning." in text


def test_numbers_and_dates_are_written_as_people_write_them(reader: _Reader) -> None:
    """French numbers have narrow spaces and commas and French dates days first; English keeps its own."""
    text = "".join(reader.text)
    assert all(shown in text for shown in ("50\u202f437", "12\u202f900", "09/01/2023 à 30/04/2023", "0,5 à 87,25"))
    assert all(
        shown in text for shown in ("50,437", "12,900", "2023-01-09 to 2023-04-30", "0.5 to 87.25", "1961 to 2004")
    )
    assert "moins de 11 lignes" in text
    assert "fewer than 11 rows" in text


def test_the_history_is_drawn_and_described(reader: _Reader) -> None:
    """Volume and share of rejected rows have one bar a period in each language, and say the same in words."""
    assert sum(tag == "rect" for tag, _ in reader.elements) == 2 * 2 * 3
    assert "2021: 48,000; 2022: 49,000; 2023: 50,437" in "".join(reader.text)
    assert "2022: 0.84%; 2023: 0.82%" in "".join(reader.text)


def test_code_lists_are_shown_by_edition(verdict: Verdict) -> None:
    """Each edition on file is a row of the page: its codes and share of rows; a list with no edition on file has dashes."""
    rest = Rest("lost_zero", "BE19", 15, 200)
    listing = Listing("basins", "BE23", "territory", (Coverage("BE19", 387, 800, (rest,)),))
    columns = (
        ColumnProfile("basin", Kind.CODE, required=True, nulls=0, listing=listing),
        ColumnProfile("rome", Kind.CODE, required=True, nulls=0, listing=Listing("ROME", "4.60", "occupation")),
    )
    reader = _Reader()
    reader.feed(page(verdict, Profile("2023", 1000, 1000, 0, (), columns), ()))
    text = " ".join(" ".join(reader.text).split())
    assert "basin basins BE23 BE19 387 / 402 80%" in text
    assert "rome ROME 4.60 – – –" in text


def test_tables_and_controls_have_their_names(reader: _Reader) -> None:
    """Each table has a caption, each head cell a scope, each choice a label."""
    tags = [tag for tag, _ in reader.elements]
    assert tags.count("table") == tags.count("caption") > 0
    assert all(attrs.get("scope") for tag, attrs in reader.elements if tag == "th")
    assert tags.count("input") == tags.count("label") == 2


def test_a_page_of_an_empty_first_file_can_be_made() -> None:
    """A file without rows, columns or history has a page too."""
    verdict = Verdict(passed=False, findings=(Finding("not-empty", passed=False, fr="Vide.", en="Empty."),))
    assert "Aucune ligne n&#39;est rejetée." in page(verdict, Profile("2023", 0, 0, 0, (), ()), ())


def test_both_languages_have_the_same_words() -> None:
    """Every word of the page exists in both languages."""
    assert WORDS["fr"].keys() == WORDS["en"].keys()
    assert all(kind.value in {k.removeprefix("kind_") for k in WORDS["fr"]} for kind in Kind)
