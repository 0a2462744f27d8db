"""The page of one convention: what a DPO reads."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from passerelle.convention import Convention, Event, load, show
from portal.page import alert_in_words, show_convention
from portal.render import Lang, Screen, Text

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module")
def csp(root: Path) -> Convention:
    """A convention with tacit renewal, obligations and a data clause."""
    return load(root / "conventions" / "csp-ft-2024.yaml")


def _page(text: Convention, at: datetime, *events: Event, lang: Lang = "fr") -> str:
    out = io.StringIO()
    show_convention(Screen(lang, out=out), text, show(text, events, at))
    return out.getvalue().replace("\u00a0", " ")


def test_the_page_has_every_date_exchange_and_party(csp: Convention) -> None:
    """Each derived date, exchange and party of the convention is on its page, with the decision and what it rests on."""
    at = datetime(2025, 6, 2, tzinfo=PARIS)
    value, page = show(csp, (), at), _page(csp, at)
    for exchange in value["exchanges"]:
        assert exchange["id"] in page
        assert exchange["title"]["fr"] in page
        assert exchange["arithmetic"]["fr"].replace("\u00a0", " ") in page
        assert (exchange["reason"] or "") in page
    assert all(answer["arithmetic"]["fr"].replace("\u00a0", " ") in page for answer in value["dates"].values())
    assert all(party["id"] in page for party in value["parties"])
    assert "autorisé" in page
    assert "bloqué" in page
    assert not {"hub_policy", "interpreted", "stated", "undetermined"} & set(page.split())


def test_a_disputed_end_is_told_as_disputed(csp: Convention) -> None:
    """Where two readings differ, the page says so beside the date, and who decides."""
    letter = Event("denounced", {"by": "unml", "received_on": "2026-12-14", "sent_on": "2026-12-10"})
    page = _page(csp, datetime(2027, 3, 20, tzinfo=PARIS), letter, lang="en")
    assert "! disputed, on 20 March 2027" in page
    assert "11 March 2027 (disputed)" in page
    assert "term_disputed" in page
    assert "the DPO decides" in page


@pytest.mark.parametrize(
    ("code", "fr"),
    [
        (
            "opt-out:2026-12-11:4_months",
            "La reconduction approche : dernier jour sûr pour dénoncer, le 11 décembre 2026.",
        ),
        ("clep:2025:1_of_2", "Acteurs des CLEP associés aux comités territoriaux (2025) : 1 sur 2 au dossier."),
        ("annual-steering-meeting:2026:missing", "Réunion de suivi annuelle (2026) : rien au dossier."),
        ("annual-steering-meeting:2026:minutes_missing", "Réunion de suivi annuelle (2026) : compte rendu manquant."),
        ("unheard-of:overdue", "unheard-of : échue, rien au dossier."),
        ("unheard-of:2026:of", "unheard-of (2026) : of."),
    ],
)
def test_an_alert_is_a_sentence(csp: Convention, code: str, fr: str) -> None:
    """The code of an alert becomes a sentence with the title of what is owed; an unknown one is shown as it is."""
    said = alert_in_words(csp, code)
    assert said.fr == fr
    assert isinstance(said, Text)
    assert said.en != said.fr


def test_every_alert_of_a_real_life_has_words(csp: Convention) -> None:
    """What ten years of a convention that nobody tends call for is told without a code."""
    for year in range(2024, 2034):
        page = _page(csp, datetime(year, 11, 30, tzinfo=PARIS))
        called = page.partition("À faire\n")[2]
        assert not any(sign in called for sign in ("_", ":missing", "opt-out"))
