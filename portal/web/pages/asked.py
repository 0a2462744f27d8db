"""What a search asks for, read from the address of a page."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from passerelle.errors import PasserelleError, UsageError
from portal.context import date_value
from portal.faults import told
from portal.render import Text
from portal.web.visit import Visit
from portal.words import PARIS

DAYS = {
    "since": Text("Du", "From"),
    "from": Text("Du", "From"),
    "until": Text("Au", "To"),
    "to": Text("Au", "To"),
    "review": Text("Réexamen le", "Review on"),
    "not_before": Text("Valable à partir du", "Valid from"),
    "not_after": Text("Fin", "End"),
}  # fields of days, as their labels call them
LONG = 5  # characters of a part of an identifier that is no word of a sentence by chance


def text(visit: Visit, key: str) -> str | None:
    """A word, or None where nothing is asked."""
    return visit.asked(key) or None


def since(visit: Visit, key: str = "since") -> datetime | None:
    """From the beginning of a day, in Paris."""
    return day_of(visit.asked(key), key)


def until(visit: Visit, key: str = "until") -> datetime | None:
    """To the end of a day, in Paris: the instant at which the next one begins."""
    asked = visit.asked(key)
    return midnight(a_day(asked, key) + timedelta(days=1)) if asked else None


def day_of(given: str, name: str) -> datetime | None:
    """The beginning of the day that a form gives, in Paris; None where it gives none.

    Raises:
        UsageError: it is no day.
    """
    return midnight(a_day(given, name)) if given else None


def a_day(given: str, name: str) -> date:
    """The day that the field ``name`` gives.

    Raises:
        UsageError: it is no day.
    """
    label = DAYS.get(name, Text(name, name))
    return date_value(given, label.en, label.fr)


def cursor(visit: Visit) -> int | None:
    """After which row the page begins.

    Raises:
        UsageError: it is no number.
    """
    asked = visit.asked("after")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):  # noqa: PLR2004 - a 64-bit number
        raise UsageError("expected the number of a row", fr="il faut le numéro d'une ligne")
    return int(asked)


def midnight(day: date) -> datetime:
    """The instant at which ``day`` begins in Paris."""
    return datetime.combine(day, time(), PARIS)


def reason(visit: Visit) -> str:
    """The reason that a form gives.

    Raises:
        UsageError: none.
    """
    given = visit.given("reason")
    if not given:
        raise UsageError("expected a reason: it is kept", fr="il faut un motif : il est conservé")
    return given


def fault_in_words(fault: PasserelleError | None) -> Text | None:
    """What was wrong in a form, above it; None where nothing was."""
    return None if fault is None else Text(told(fault, "fr"), told(fault, "en"))


def parties(visit: Visit, convention: str) -> list[str]:
    """The parties of a convention; none where its file cannot be read."""
    try:
        return [one.id for one in visit.workspace.convention(convention).parties]
    except PasserelleError:
        return []


def insist_unnamed(reason: str, identifier: str) -> None:
    """Refuse a reason that repeats an identifier, or a part of one: it would stay in the access log.

    Raises:
        UsageError: it does.
    """
    if names(reason, identifier):
        raise UsageError(
            "the reason repeats the identifier: the access log must not name the person; give the request's number",
            fr="le motif répète l'identifiant : le journal des accès ne doit pas nommer la personne ; donnez le numéro de la demande",
        )  # fmt: skip


def names(text: str, identifier: str) -> bool:
    """Whether ``text`` repeats an identifier, or a part of one."""
    return any(_repeats(text, part) for part in identifier.split(";"))


def _repeats(reason: str, part: str) -> bool:
    """Whether a reason has a part of an identifier in it, however it is spaced; a short name only as a word of its own."""
    plain, words = _letters(part), {_letters(word) for word in reason.split()}
    return bool(plain) and (plain in words or (len(plain) >= LONG and plain in _letters(reason)))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()
