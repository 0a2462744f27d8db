"""The letter of article 15: what the gateway handed over on a person, to whom by name (C-154/21), in words for the person.

It holds no more than it needs: no identifier and no name of the person, who is known to whoever signs and posts it.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.contract import Column
from passerelle.convention import Words, destruction_deadline
from passerelle.convention.dates import local_day
from passerelle.parcel.notices import written_date
from passerelle.persons.received import Answer, Received, text_of
from passerelle.persons.requesting import PARIS, routes
from passerelle.workspace import Workspace

FORMAT = "passerelle-access-letter/1"
Lang = Literal["fr", "en"]
Meanings = Mapping[str, Sequence[Column]]
Kept = Mapping[str, Words]

WORDS: Mapping[Lang, Mapping[str, str]] = {
    "fr": {
        "title": "Réponse à votre demande d'accès à vos données (article 15 du RGPD)",
        "intro": "Vous avez demandé à qui vos données ont été transmises. Voici ce que nos registres établissent.",
        "none": "Nos registres ne connaissent aucune transmission de données vous concernant.",
        "sent": "Transmission du {day}, destinataire : {recipient}",
        "source": "Données reçues de", "period": "Période", "purpose": "Finalité", "article": "Fondement",
        "columns": "Données", "retention": "Conservation", "until": "nos copies sont à détruire au plus tard le {day}", "held": "nos copies sont conservées jusqu'à la levée d'une suspension : {why}",
        "purged": "nos copies ont été détruites", "unknown": "jusqu'à deux mois après la fin de la convention, dont la date n'est pas encore connue",
        "superseded": "Cette transmission a été remplacée ; son destinataire a reçu l'ordre de détruire la première.",
        "weak": "Nous vous avons retrouvé par votre nom et votre date de naissance : une autre personne peut les partager. "
        "Dites-nous si une transmission ne vous concerne pas.",
        "expired": "Pour certaines conventions closes depuis plus de douze mois, la liste des personnes a été détruite : nous ne pouvons "
        "plus savoir si vous y figuriez.",
        "rights": "Vos droits",
        "rights_text": "Vous pouvez demander la rectification ou l'effacement de vos données, la limitation de leur traitement, ou vous y "
        "opposer. Nous en informons alors chaque destinataire (article 19). Vous pouvez saisir l'autorité de contrôle : la CNIL en France "
        "(www.cnil.fr), le préposé cantonal à la protection des données à Genève.",
        "officers": "À qui écrire", "not_stated": "non indiqué dans la convention",
        "no_decision": "La passerelle ne prend aucune décision automatisée et ne fait aucun profilage.",
    },
    "en": {
        "title": "Answer to your request of access to your data (article 15 of the GDPR)",
        "intro": "You asked to whom your data were handed over. This is what our registers establish.",
        "none": "Our registers know of no transmission of data on you.",
        "sent": "Handed over on {day} to {recipient}",
        "source": "Data received from", "period": "Period", "purpose": "Purpose", "article": "Ground",
        "columns": "Data", "retention": "Retention", "until": "our copies are to be destroyed by {day}", "held": "our copies are kept until a hold is lifted: {why}",
        "purged": "our copies were destroyed", "unknown": "until two months after the end of the convention, whose date is not known yet",
        "superseded": "This transmission was superseded; its recipient was told to destroy the first one.",
        "weak": "We found you by your name and date of birth: another person may share them. Tell us if a transmission is not about you.",
        "expired": "For some conventions closed for more than twelve months the list of persons was destroyed: we can no longer know "
        "whether you were in it.",
        "rights": "Your rights",
        "rights_text": "You may ask for rectification or erasure of your data, for restriction of their processing, or object to it. We then "
        "tell each recipient (article 19). You may complain to the authority: CNIL in France (www.cnil.fr), the cantonal commissioner in "
        "Geneva.",
        "officers": "Whom to write to", "not_stated": "not stated in the convention",
        "no_decision": "The gateway takes no automated decision and makes no profile of persons.",
    },
}  # fmt: skip


def letter(
    workspace: Workspace, connection: Connection, answer: Answer, meanings: Meanings, kept: Kept
) -> dict[str, Any]:
    """The letter's data: what article 15(1) demands of each transmission.

    ``meanings`` are the columns of each ``convention/exchange``; ``kept`` says why a hold keeps the copies of a run.
    """
    involved = sorted({one.convention for one in answer.deliveries})
    return {
        "format": FORMAT,
        "made_at": iso(workspace.now()),
        "transmissions": [
            {
                **_transmission(workspace, connection, one, meanings),
                "held": kept[one.run].as_json() if one.run in kept else None,
            }
            for one in answer.deliveries
        ],
        "recipients": sorted({one.recipient_name for one in answer.deliveries}),
        "weak_key": any(one.weak for one in answer.deliveries),
        "expired": [one.convention for one in answer.expired],
        "officers": [
            {"party": way.name, "dpo": way.dpo, "convention": name}
            for name in involved
            for way in routes(text_of(workspace, name))
        ],
        "automated_decisions": False,
    }


def files(data: Mapping[str, Any]) -> dict[str, bytes]:
    """The letter as files: JSON for machines, text and a page that loads nothing, in French and English."""
    found = {"letter.json": canonical(dict(data)) + b"\n"}
    languages: tuple[tuple[Lang, str], ...] = (("fr", "lettre"), ("en", "letter"))
    for lang, name in languages:
        parts = parts_of(data, lang)
        found[f"{name}.txt"] = "\n\n".join(_plain(part, lang) for part in parts).encode() + b"\n"
        found[f"{name}.html"] = _page(parts, lang).encode()
    return found


def _transmission(workspace: Workspace, connection: Connection, one: Received, meanings: Meanings) -> dict[str, Any]:
    known = {column.name: column for column in meanings.get(f"{one.convention}/{one.exchange}", ())}
    return {
        "delivered_on": local_day(datetime.fromisoformat(one.delivered_at), PARIS).isoformat(),
        "recipient": one.recipient_name,
        "source": one.sender_name,
        "period": one.period,
        "convention": one.convention,
        "convention_title": _title(workspace, one.convention),
        "article": one.article,
        "purpose": dict(one.purpose) if one.purpose else None,
        "columns": [
            {"name": name, "fr": known[name].fr if name in known else name, "en": known[name].en if name in known else name}
            for name in one.columns
        ],
        "destroy_by": one.destroy_by or _deadline(workspace, connection, one),
        "purged": one.purged,
        "superseded": one.superseded_by is not None,
    }  # fmt: skip


def _title(workspace: Workspace, convention: str) -> dict[str, str] | None:
    """What the convention is called: its id means nothing to a person."""
    text = text_of(workspace, convention)
    return {"fr": text.title.fr, "en": text.title.en} if text else None


def _deadline(workspace: Workspace, connection: Connection, one: Received) -> str | None:
    text = text_of(workspace, one.convention)
    if text is None:
        return None
    value = destruction_deadline(text, workspace.history(connection, one.convention), workspace.now()).value
    return value.isoformat() if isinstance(value, date) else None


Part = tuple[str, list[tuple[str, str]]]  # a heading or a paragraph, then facts


def parts_of(data: Mapping[str, Any], lang: Lang) -> list[Part]:
    """The letter's headings, paragraphs and facts, in their order."""
    words = WORDS[lang]
    made = datetime.fromisoformat(data["made_at"]).astimezone(PARIS).date()
    parts: list[Part] = [(f"{words['title']}\n{written_date(made, lang)}", [])]
    parts.append((words["intro"] if data["transmissions"] else words["none"], []))
    parts += [_sent(one, lang) for one in data["transmissions"]]
    parts += [(words[name], []) for name, said in (("weak", data["weak_key"]), ("expired", data["expired"])) if said]
    parts.append((words["no_decision"], []))
    parts.append((f"{words['rights']}\n{words['rights_text']}", []))
    officers = [
        (one["party"], words["not_stated"] if one["dpo"] == "not_stated" else one["dpo"]) for one in data["officers"]
    ]
    return [*parts, (words["officers"], officers)] if officers else parts


def _sent(one: Mapping[str, Any], lang: Lang) -> Part:
    words = WORDS[lang]
    day = written_date(date.fromisoformat(one["delivered_on"]), lang)
    title = one["convention_title"]
    called = f"{title[lang]} ({one['convention']})" if title else one["convention"]
    until = words["unknown"]
    if one["purged"]:
        until = words["purged"]
    elif one["held"]:
        until = words["held"].format(why=one["held"][lang])
    elif one["destroy_by"]:
        until = words["until"].format(day=written_date(date.fromisoformat(one["destroy_by"]), lang))
    facts = [
        (words["source"], one["source"]),
        (words["period"], one["period"]),
        (words["article"], ", ".join(part for part in (called, one["article"]) if part)),
        (words["purpose"], one["purpose"][lang] if one["purpose"] else words["not_stated"]),
        (words["columns"], ", ".join(column[lang] for column in one["columns"])),
        (words["retention"], until),
    ]
    head = words["sent"].format(day=day, recipient=one["recipient"])
    return (f"{head}\n{words['superseded']}" if one["superseded"] else head, facts)


def _plain(part: Part, lang: Lang) -> str:
    text, facts = part
    colon = " : " if lang == "fr" else ": "
    return "\n".join([text, *(f"  {name}{colon}{value}" for name, value in facts)])


def _page(parts: Sequence[Part], lang: Lang) -> str:
    body = []
    for place, (text, facts) in enumerate(parts):
        head, _, rest = text.partition("\n")
        tag = "h1" if place == 0 else "h2" if facts or rest else "p"
        body.append(f"<{tag}>{html.escape(head)}</{tag}>")
        if rest:
            body.append(f"<p>{html.escape(rest)}</p>")
        if facts:
            rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in facts)
            body.append(f"<dl>{rows}</dl>")
    style = "body{font:16px/1.5 serif;max-width:44em;margin:2em auto;padding:0 1em}dt{font-weight:bold}dd{margin:0 0 .4em 1em}"
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(WORDS[lang]["title"])}</title>'
        f"<style>{style}</style></head><body>{''.join(body)}</body></html>\n"
    )
