"""Every setting of a dialect in words, French and English: what the page of a contract says of each format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Literal

from passerelle.contract import Dialect

Language = Literal["fr", "en"]

SETTINGS: Mapping[str, tuple[str, str]] = {
    "format": ("nature du fichier", "kind of file"),
    "packings": ("envoyé tel quel ou compressé", "sent as it is or packed"),
    "encoding": ("encodage", "encoding"),
    "line_end": ("fins de ligne", "line ends"),
    "separator": ("séparateur", "separator"),
    "quote": ("guillemet", "quote"),
    "escape": ("caractère d'échappement", "escape"),
    "header": ("la première ligne nomme les colonnes", "the first line names the columns"),
    "lead": ("lignes avant l'en-tête (expressions)", "lines before the header (expressions)"),
    "trail": ("lignes après la dernière (expressions)", "lines after the last row (expressions)"),
    "sheet": ("feuille", "sheet"),
    "namespace": ("espace de noms", "namespace"),
    "schema": ("schéma XSD", "XSD"),
    "path": ("emplacement des enregistrements", "where the records are"),
    "rows": ("ce qui fait une ligne dans un enregistrement", "what in a record makes a row"),
    "beside": ("ce que le document peut contenir d'autre", "what else the document may hold"),
    "optional": ("ce qu'un enregistrement peut ne pas avoir", "what a record may lack"),
    "decimal": ("marque décimale", "decimal mark"),
    "date_formats": ("dates", "dates"),
    "nulls": ("marques de valeur vide", "marks of a null"),
    "secrecy": ("marques du secret statistique", "marks of statistical secrecy"),
    "multivalue": ("marque entre les valeurs d'une liste", "mark between the values of a list"),
    "blank_lines": ("réparation : lignes vides sautées", "repair: blank lines skipped"),
    "short_rows": ("réparation : colonnes qui peuvent manquer en fin de ligne", "repair: columns a row may lack at its end"),
    "nbsp": ("réparation : espaces insécables rendues ordinaires", "repair: no-break spaces made plain"),
    "trim": ("réparation : espaces autour des valeurs retirées", "repair: whitespace around values removed"),
    "zero_fill": (
        "réparation : zéros de tête rendus, « .0 » final retiré (largeur)",
        "repair: leading zeros given back, final “.0” taken away (width)",
    ),
    "serial_dates": ("réparation : numéros de jour d'Excel lus comme dates", "repair: Excel's day numbers read as dates"),
    "serial_epoch": ("année d'où Excel compte", "year that Excel counts from"),
}  # fmt: skip
"""Of each setting that a page tells, what it means. The dialect's name, sender and columns have tables of their own."""

_CSV = frozenset({"encoding", "line_end", "separator", "quote", "escape", "header", "lead", "trail"})
_NESTED = frozenset({"path", "rows", "beside", "optional"})
ONLY: Mapping[str, frozenset[str]] = {
    "csv": _CSV,
    "xlsx": frozenset({"sheet"}),
    "json": frozenset({"encoding"}) | _NESTED,
    "jsonl": frozenset({"encoding", "line_end", "lead", "trail"}) | _NESTED,
    "xml": frozenset({"encoding", "namespace", "schema"}) | _NESTED,
}
"""Settings that only some kinds of file have."""
_TOLD = frozenset(
    {"format", "packings", "encoding", "line_end", "separator", "quote", "decimal", "date_formats", "nulls"}
)
"""Settings that are told even where they are what a dialect has unless it says otherwise."""
_USUAL = Dialect("", "", {})
_WORDS = {"lf": "LF", "crlf": "CRLF", "cr": "CR", "any": "LF, CRLF"}
_STEPS = {"%d": {"fr": "JJ", "en": "DD"}, "%m": {"fr": "MM", "en": "MM"}, "%Y": {"fr": "AAAA", "en": "YYYY"}}


def settings(dialect: Dialect, language: Language) -> Iterator[tuple[str, str, str]]:
    """Setting, value and meaning: those that every reader needs, and each that the dialect changes."""
    elsewhere = frozenset[str]().union(*ONLY.values()) - ONLY[dialect.format]
    for one in fields(Dialect):
        if one.name not in SETTINGS or one.name in elsewhere:
            continue
        value = getattr(dialect, one.name)
        if (
            value != getattr(_USUAL, one.name)
            or one.name in _TOLD
            or (one.name == "serial_epoch" and dialect.serial_dates)
        ):
            yield f"`{one.name}`", said(one.name, value, language), SETTINGS[one.name][0 if language == "fr" else 1]


def said(name: str, value: Any, language: Language) -> str:
    """One value as a page writes it."""
    if name == "date_formats":
        return ", ".join(dated(one, language) for one in value)
    if isinstance(value, bool):
        return {"fr": ("non", "oui"), "en": ("no", "yes")}[language][value]
    if isinstance(value, Mapping):
        return ", ".join(
            f"`{key}` : `{each}`" if language == "fr" else f"`{key}`: `{each}`" for key, each in value.items()
        )
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" if each else "∅" for each in value)
    if name == "line_end":
        return _WORDS[value]
    return {"fr": "aucun", "en": "none"}[language] if value is None else f"`{value}`"


def dated(pattern: str, language: Language) -> str:
    """A date format as people write it: JJ/MM/AAAA, DD/MM/YYYY."""
    for step, says in _STEPS.items():
        pattern = pattern.replace(step, says[language])
    return pattern
