"""What is due, done, late, refused or called into question, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from portal.render import Screen, Text, Tone, Words, day
from portal.words import EVERYONE, OUTCOME, ground, moment, reason, said

KINDS = {
    "starts": Text("prise d'effet", "takes effect"),
    "renews": Text("reconduction", "renewal"),
    "ends": Text("fin", "end"),
    "opt_out_alert": Text("alerte de reconduction", "renewal alert"),
    "opt_out_safe_day": Text("dernier jour sûr pour dénoncer", "last safe day to denounce"),
    "opt_out_last_valid_day": Text("dernier jour valable pour dénoncer", "last valid day to denounce"),
    "opens": Text("permis à partir de ce jour", "allowed from this day"),
    "exchange": Text("échange", "exchange"),
    "instrument": Text("pièce", "instrument"),
    "obligation": Text("obligation", "obligation"),
    "service_level": Text("délai de réponse", "delay of an answer"),
    "rights": Text("délai du RGPD", "GDPR delay"),
    "reminder": Text("rappel", "reminder"),
    "destruction": Text("destruction au plus tard", "destruction at the latest"),
    "purge_target": Text("destruction visée", "purge aimed at"),
    "purge": Text("destruction", "purge"),
    "event": Text("événement", "event"),
    "status": Text("en vigueur", "in force"),
    "gate": Text("contrôle", "gate"),
    "delivered": Text("livraison", "delivery"),
    "refused": Text("livraison refusée", "delivery refused"),
    "purged": Text("données détruites", "data destroyed"),
}
STATES = {
    "note": Text("–", "–"),
    "due": Text("à faire", "due"),
    "late": Text("en retard", "late"),
    "done": Text("fait", "done"),
    "standing": Text("permanente", "standing"),
    "not_dated": Text("sans date", "not dated"),
    "yes": Text("oui", "yes"),
    "no": Text("non", "no"),
    "undetermined": Text("indéterminé", "undetermined"),
    "disputed": Text("contesté", "disputed"),
}


def _date(text: str | None, out: Screen) -> str | None:
    return None if text is None else day(date.fromisoformat(text), out.lang)


def _about(one: Mapping[str, Any], out: Screen) -> str:
    """What a line is about: its title, and its period where it has one (a reminder's comes after the kind of thing)."""
    period = (one.get("period") or "").rpartition(".")[2] if one["kind"] == "reminder" else one.get("period")
    return f"{one['title'][out.lang]} ({period})" if period else str(one["title"][out.lang])


def show_plan(out: Screen, value: Mapping[str, Any]) -> None:
    """The plan: what is due day by day, then what the gate says of each exchange."""
    titles = [Text("date", "date"), Text("convention", "convention"), Text("nature", "kind"), Text("quoi", "what"), Text("état", "state"), Text("pourquoi", "why")]  # fmt: skip
    rows = [
        (
            _date(one["date"], out),
            one["convention"],
            said(KINDS, one["kind"]),
            _about(one, out),
            _outcome(one),
            _why(one, out),
        )
        for one in value["items"]
    ]
    if rows:
        out.table(titles, rows)
    else:
        out.say(Text("Rien dans cette période.", "Nothing in this period."))
    out.heading(Text("Ce que répondrait le contrôle", "What the gate would say"))
    titles = [Text("convention", "convention"), Text("échange", "exchange"), Text("du", "from"), Text("au", "to"), Text("réponse", "answer"), Text("motif", "reason")]  # fmt: skip
    spans = [
        (one["convention"], one["exchange"], _date(one["from"], out), _date(one["to"], out), said(OUTCOME, one["decision"]), reason(one["reason"] or one["warning"]))
        for one in value["exchanges"]
    ]  # fmt: skip
    out.table(titles, spans)
    _changed(out, value["not_approved"])


def _outcome(one: Mapping[str, Any]) -> Text | None:
    gate = said(OUTCOME, one["decision"])
    state = said(STATES, one["state"])
    return gate if gate is not None and one["state"] != "done" else state


def _why(one: Mapping[str, Any], out: Screen) -> Words | None:
    return reason(one["reason"] or one["warning"]) or one["arithmetic"][out.lang]


def _changed(out: Screen, conventions: Iterable[str]) -> None:
    for one in conventions:
        out.say(
            Text(
                f"Le fichier de {one} a changé : rien n'en est planifié tant que deux personnes ne l'ont pas approuvé.",
                f"The file of {one} changed: nothing of it is planned until two people approved it.",
            ),
            Tone.WARNED,
        )


def show_register(out: Screen, entries: Sequence[Mapping[str, Any]]) -> None:
    """The register of obligations: late first, then by date."""
    if not entries:
        out.say(Text("Aucune obligation.", "No obligation."))
        return
    titles = [Text("état", "state"), Text("échéance", "due"), Text("convention", "convention"), Text("quoi", "what"), Text("qui", "who"), Text("fondement", "basis"), Text("preuves", "evidence")]  # fmt: skip
    order = {"late": 0, "due": 1, "not_dated": 2, "standing": 3, "done": 4}
    rows = [
        (said(STATES, one["state"]), _date(one["due"], out), one["convention"], _about(one, out), ", ".join(out.words(said(EVERYONE, who) or who) for who in one["who"]), ground(one["basis"], one["article"]), _shown(one, out))
        for one in sorted(entries, key=lambda one: order[one["state"]])
    ]  # fmt: skip
    out.table(titles, rows)


def _shown(one: Mapping[str, Any], out: Screen) -> str | None:
    shown = [
        " ".join(part for part in (proof["event"], _date(proof["date"], out), (proof["sha256"] or "")[:12]) if part)
        for proof in one["evidence"]
    ]
    return "; ".join(shown) or None


def show_life(out: Screen, changes: Sequence[Mapping[str, Any]]) -> None:
    """A convention's life, a heading for each day on which something changed."""
    if not changes:
        out.say(Text("Rien ne change dans cette période.", "Nothing changes in this period."))
    last = None
    for one in changes:
        if one["date"] != last:
            last = one["date"]
            out.heading(_date(last, out) or "")
        out.say(_changed_line(one, out), _TONES.get(str(one["after"]).partition(":")[0], Tone.PLAIN))


_TONES = {"block": Tone.REFUSED, "no": Tone.REFUSED, "late": Tone.WARNED, "disputed": Tone.WARNED, "yes": Tone.DONE}


def _changed_line(one: Mapping[str, Any], out: Screen) -> str:
    words = [out.words(said(KINDS, one["kind"]) or ""), _about(one, out)]
    after, _, why = str(one["after"]).partition(": ")
    if after not in ("note", one["kind"]) and one["kind"] != "event":
        told = out.words(said({**STATES, **OUTCOME}, after) or after)
        words.append(f"{told} ({why})" if why else told)
    words.append(one["arithmetic"][out.lang])
    return " · ".join(word for word in words if word)


def show_exposures(out: Screen, exposures: Sequence[Mapping[str, Any]]) -> None:
    """Deliveries that should not have happened, as the record tells it since."""
    if not exposures:
        out.say(Text("Aucune livraison n'est mise en cause.", "No delivery is called into question."), Tone.DONE)
        return
    count = len(exposures)
    out.say(
        Text(
            f"Livraisons qui n'auraient pas dû avoir lieu : {count}. Rien de passé n'est réécrit ; le DPO décide des suites.",
            f"Deliveries that should not have happened: {count}. Nothing past is rewritten; the DPO decides what follows.",
        ),
        Tone.WARNED,
    )
    titles = [Text("colis", "parcel"), Text("échange", "exchange"), Text("période", "period"), Text("destinataire", "recipient"), Text("remis", "delivered"), Text("lignes", "rows")]  # fmt: skip
    rows = [
        (one["delivery"], one["exchange"], one["period"], one["recipient"], moment(one["delivered_at"], out.lang), one["rows"])
        for one in exposures
    ]  # fmt: skip
    out.table(titles, rows)
