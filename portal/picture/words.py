"""What a picture says, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from portal.render import Lang, Text
from portal.words import BASIS, STATUS

_WORDS = {
    "life": Text("Vie de la convention {}, du {} au {}", "Life of the convention {}, from {} to {}"),
    "calendar": Text("Calendrier des destructions au {}", "Calendar of destruction on {}"),
    "as_of": Text("Au {}\u00a0: {}", "On {}: {}"),
    "term": Text("Durée", "Term"),
    "opt_out": Text("Dénonciation avant reconduction", "Notice against renewal"),
    "purge": Text("Destruction des données", "Destruction of the data"),
    "delivered": Text("Livraisons\u00a0: {}", "Deliveries: {}"),
    "nth": Text("{}e période", "term {}"),
    "first": Text("1re période", "term 1"),
    "only": Text("en vigueur", "in force"),
    "open": Text("en vigueur, sans terme fixé", "in force, no end set"),
    "unstated": Text("fin non stipulée\u00a0: indéterminé", "end not stated: undetermined"),
    "contested": Text("{}, contestée", "{}, disputed"),
    "unknown_start": Text("prise d'effet non enregistrée", "start not on record"),
    "nothing": Text("jamais en vigueur dans cette période", "never in force in this period"),
    "count": Text("{} dates", "{} dates"),
    "many": Text("{} dates, du {} au {}", "{} dates, from {} to {}"),
    "date": Text("Date", "Date"),
    "what": Text("Quoi", "What"),
    "ground": Text("Fondement", "Basis"),
    "arithmetic": Text("Calcul", "Arithmetic"),
    "file": Text("Fichier de la convention, SHA-256\u00a0: {}", "Convention file, SHA-256: {}"),
    "none": Text("Aucune date dans cette période.", "No date in this period."),
    "colon": Text("\u00a0: ", ": "),
    **BASIS,
    **STATUS,
}
_MONTHS: Mapping[Lang, Sequence[str]] = {
    "fr": ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def said(word: str, lang: Lang, *given: object) -> str:
    """The words of that name, with what is ``given`` in their places."""
    return str(getattr(_WORDS[word], lang)).format(*given)


def short(one: date, lang: Lang) -> str:
    """A date as it stands beside a mark: "1er mars 2026", "31 déc. 2019"."""
    number = "1er" if lang == "fr" and one.day == 1 else str(one.day)
    return f"{number} {month(one, lang)} {one.year}"


def month(one: date, lang: Lang) -> str:
    return _MONTHS[lang][one.month - 1]
