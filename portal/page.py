"""The page of one convention that a DPO reads: in force or not, each date and each exchange with its ground, what is owed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from portal.render import Lang, Screen, Text, Tone, day
from portal.words import ALERTS, DATES, EVERYONE, NO_VALUE, OUTCOME, STATUS, STATUS_TONE, WHO_DECIDES, ground, said

if TYPE_CHECKING:
    from passerelle.convention import Convention


def show_convention(out: Screen, text: Convention, value: Mapping[str, Any]) -> None:
    """What ``convention show`` says to a reader: in force or not, each date and each exchange with its ground, what calls."""
    at = datetime.fromisoformat(value["as_of"]).astimezone(text.zone)
    out.heading(value["title"][out.lang])
    status, words = STATUS[value["status"]], value["in_force"]["arithmetic"]
    out.say(Text(f"{status.fr}, au {day(at.date(), 'fr')}", f"{status.en}, on {day(at.date(), 'en')}"), STATUS_TONE.get(value["status"], Tone.WARNED))  # fmt: skip
    out.say(words[out.lang], Tone.FAINT)
    _dates(out, text, value["dates"])
    _exchanges(out, value["exchanges"])
    _parties(out, value["parties"])
    if value["alerts"]:
        out.heading(Text("À faire", "To do"))
        for alert in value["alerts"]:
            out.say(Text(*(f"– {one}" for one in alert_in_words(text, alert))))


def _dates(out: Screen, text: Convention, dates: Mapping[str, Any]) -> None:
    out.heading(Text("Dates", "Dates"))
    titles = [Text("date", "date"), Text("le", "on"), Text("fondement", "basis"), Text("calcul", "arithmetic")]
    rows = [
        (date_name(text, name), _value(one), ground(one["basis"], one["article"]), one["arithmetic"][out.lang])
        for name, one in dates.items()
    ]
    out.table(titles, rows)


def date_name(text: Convention, name: str) -> Text:
    """What a derived date is called: by the title of what is due, where something is."""
    _, _, subject = name.partition(":")
    return _title(text, subject) or DATES.get(name, Text(name, name))


def _title(text: Convention, subject: str) -> Text | None:
    titles = {one.id: one.title for one in text.exchanges}
    titles |= {one.id: one.title for one in text.instruments}
    titles |= {one.id: one.title for one in text.obligations}
    found = titles.get(subject)
    return None if found is None else Text(found.fr, found.en)


def _value(answer: Mapping[str, Any]) -> object:
    if not isinstance(answer["value"], str):
        return NO_VALUE.get(answer["status"])
    when = date.fromisoformat(answer["value"][:10])
    if answer["status"] != "disputed":
        return when
    return Text(f"{day(when, 'fr')} (contestée)", f"{day(when, 'en')} (disputed)")


def _exchanges(out: Screen, exchanges: Sequence[Mapping[str, Any]]) -> None:
    out.heading(Text("Échanges", "Exchanges"))
    titles = [Text("échange", "exchange"), Text("décision", "decision"), Text("motif", "reason")]
    rows = [
        (
            "\n".join((one["id"], one["title"][out.lang], f"{_who(one['from'], out)} → {_who(one['to'], out)}")),
            OUTCOME[one["decision"]],
            "\n".join(_why(one, out.lang)),
        )
        for one in exchanges
    ]
    out.table(titles, rows, apart=True)


def _who(parties: Sequence[str], out: Screen) -> str:
    return ", ".join(out.words(EVERYONE.get(party, party)) for party in parties)


def _why(decision: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    """The reason's code, for whoever searches or records; its words; what it rests on, and who can change it."""
    if code := decision["reason"] or decision["warning"]:
        yield code
    yield decision["arithmetic"][lang]
    rests = getattr(ground(decision["basis"], decision["article"]), lang)
    who = said(WHO_DECIDES, decision["who_decides"])
    yield f"{rests} – {getattr(who, lang)}" if who else rests


def _parties(out: Screen, parties: Sequence[Mapping[str, Any]]) -> None:
    out.heading(Text("Parties", "Parties"))
    unsaid = Text("non indiqué", "not stated")
    titles = [Text("partie", "party"), Text("nom", "name"), Text("signataire", "signatory"), Text("DPO", "DPO")]
    rows = [
        (
            one["id"],
            unsaid if one["name"] == "not_stated" else one["name"],
            one["signatory"],
            unsaid if one["dpo"] == "not_stated" else one["dpo"],
        )
        for one in parties
    ]
    out.table(titles, rows)


def alert_in_words(text: Convention, code: str) -> Text:
    """An alert's code (passerelle.convention.alerts) as a sentence; an unknown code as it is."""
    subject, _, rest = code.partition(":")
    period, _, what = rest.rpartition(":")
    if subject == "opt-out":
        until = date.fromisoformat(period)
        return Text(
            f"La reconduction approche : dernier jour sûr pour dénoncer, le {day(until, 'fr')}.",
            f"The renewal comes near: last safe day to denounce, {day(until, 'en')}.",
        )
    if found := re.fullmatch(r"([0-9]+)_of_([0-9]+)", what):
        done, wanted = found.groups()
        said_ = Text(f"{done} sur {wanted} au dossier", f"{done} of {wanted} on file")
    else:
        said_ = ALERTS.get(what, Text(what, what))
    name = _title(text, subject) or Text(subject, subject)
    when = f" ({period})" if period else ""
    return Text(f"{name.fr}{when} : {said_.fr}.", f"{name.en}{when}: {said_.en}.")
