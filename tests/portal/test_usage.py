"""What cannot be understood is told in French and English, without what was typed."""

from __future__ import annotations

import re

import pytest

from portal.cli import run

PERSON = "dupont-1850578006048"
FAULTS = (
    ("convention show", "il manque l'argument ID", "the argument ID is missing"),
    ("convention shwo x", "commande inconnue", "no such command"),
    (PERSON, "commande inconnue", "no such command"),
    (f"convention show csp-ft-2024 {PERSON}", "la commande reçoit trop d'arguments", "more arguments came than the command takes"),
    ("calendar --form x", "option inconnue : --form", "no such option: --form"),
    (f"calendar --{PERSON}", "option inconnue", "no such option"),
    ("calendar --from", "l'option --from attend une valeur", "the option --from needs a value"),
    ("convention show x --json=3", "l'option --json ne prend pas de valeur", "the option --json takes no value"),
    (f"serve --port {PERSON}", "--port : un nombre entier de 1 à 65535 est attendu", "--port: expected a whole number from 1 to 65535"),
    ("serve --port 70000", "--port : un nombre entier de 1 à 65535 est attendu", "--port: expected a whole number from 1 to 65535"),
    ("trail show --last 0", "--last : un nombre entier, 1 au moins est attendu", "--last: expected a whole number, at least 1"),
    (f"contract sample bmo --rows {PERSON}", "--rows : un nombre entier est attendu", "--rows: expected a whole number"),
)  # fmt: skip


@pytest.mark.parametrize(("command", "fr", "en"), FAULTS, ids=[fault[0].replace(PERSON, "…") for fault in FAULTS])
def test_it_is_told_in_both_languages(
    command: str, fr: str, en: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, one line that says what is wrong, one that says how the command is used; no value comes back."""
    for lang, said, asked in (("fr", fr, "--help l'explique"), ("en", en, "--help explains it")):
        monkeypatch.setenv("PASSERELLE_LANG", lang)
        assert run(command.split()) == 2
        out, err = capsys.readouterr()
        assert out == ""
        error, hint = err.splitlines()
        assert error == f"error: {said}"
        assert re.fullmatch(rf"hint: .*passerelle .*{asked}", hint)
        assert PERSON not in err


def test_what_was_perhaps_meant(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A word or an option that is nearly one of ours is answered with ours."""
    monkeypatch.setenv("PASSERELLE_LANG", "fr")
    for command, near in (("convention shwo", "show"), ("calendar --form x", "--format, --from, --to")):
        assert run(command.split()) == 2
        assert f"hint: peut-être {near} ; passerelle" in capsys.readouterr().err


def test_nothing_asked_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command its help is shown, on stderr; with --help, on stdout."""
    for arguments, status in ((["convention"], 2), (["convention", "--help"], 0)):
        assert run(arguments) == status
        out, err = capsys.readouterr()
        assert "passerelle convention" in (err if status else out)
        assert (out if status else err) == ""
