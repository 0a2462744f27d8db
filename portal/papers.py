"""A plan and a certificate of destruction as pages to print: one file, without anything else, in French then English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from html import escape
from typing import Any, Literal

from portal.render import Text, Words, day, number, size
from portal.words import COPIES, ground, moment, reason, said

Lang = Literal["fr", "en"]
STYLE = (
    "body{font:11pt/1.5 Georgia,serif;max-width:42em;margin:2em auto;padding:0 1em;color:#111}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.6em}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;border-bottom:1px solid #999;padding:.25em .5em;vertical-align:top}"
    "td.n{text-align:right}code{font-size:.85em;overflow-wrap:anywhere}section+section{margin-top:4em}"
    "@media print{section+section{break-before:page}body{margin:0}}"
)


NO_BACKUP = Text(
    "Aucune sauvegarde inscrite ne contient ce qui a été détruit.", "No backup on record holds what was destroyed."
)

KEPT = Text("Conservé, parce qu'une suspension le nomme", "Kept, because a hold names it")
OTHER_USES = Text(
    "ssh-keygen nomme d'abord les lignes prévues pour un autre usage : seule compte sa réponse « Good… ».",
    "ssh-keygen first names the lines meant for another use: only its answer that begins with “Good” counts.",
)


def plan_page(value: Mapping[str, Any]) -> bytes:
    """The page of a plan, for the DPO to read, print and sign."""
    return _page(Text("Plan de destruction", "Destruction plan"), lambda lang: _plan(value, lang))


def certificate_page(body: Mapping[str, Any]) -> bytes:
    """The page of a certificate: what is proved, what is attested, what neither can tell."""
    return _page(Text("Certificat de destruction", "Certificate of destruction"), lambda lang: _certificate(body, lang))


def _page(title: Text, parts: Any) -> bytes:
    sections = "".join(
        f'<section lang="{lang}"><h1>{escape(getattr(title, lang))}</h1>{"".join(parts(lang))}</section>'
        for lang in ("fr", "en")
    )
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{escape(title.fr)} – {escape(title.en)}</title>'
        f"<style>{STYLE}</style></head><body>{sections}</body></html>\n"
    ).encode()


def _plan(value: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    yield _facts(
        [
            (Text("plan", "plan"), value["plan"]),
            *_about(value, lang),
            (Text("peut être exécuté", "may run"), Text("oui", "yes") if value["allowed"] else Text("non", "no")),
            (Text("colis remis à des partenaires", "parcels handed to partners"), value["handed_to_partners"]),
            (Text("pas encore à échéance", "not due yet"), value["not_due"]),
        ],
        lang,
    )
    for one in value["by_exchange"]:
        yield _h2(Text(f"À détruire : {one['exchange']}", f"To be destroyed: {one['exchange']}"), lang)
        yield _copies(one["copies"], lang)
    yield from _held(value["held"], lang)
    yield _h2(Text("Approbation du DPO", "Approval by the DPO"), lang)
    for one in value["approvals"]:
        words = Text(f"Approuvé par {one['by']}, le {_on(one['at'], 'fr')}, valable jusqu'au {_on(one['until'], 'fr')}.", f"Approved by {one['by']} on {_on(one['at'], 'en')}, valid until {_on(one['until'], 'en')}.")  # fmt: skip
        yield _p(words, lang)
    yield f"<p><code>passerelle purge approve {escape(value['plan'])}</code></p>"
    yield _p(Text("Nom, date et signature :", "Name, date and signature:"), lang) + "<p><br></p><hr>"


def _certificate(body: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    yield _facts(
        [
            (Text("certificat", "certificate"), body["purge"]),
            *_about(body, lang),
            (Text("commencée", "started"), moment(body["planned_at"], lang)),
            (Text("achevée", "completed"), moment(body["completed_at"], lang)),
            (Text("registre de preuve", "trail"), f"{body['trail']['origin']}, {body['trail']['size']}"),
        ],
        lang,
    )
    yield _h2(Text("Détruit", "Destroyed"), lang) + _copies(body["destroyed"], lang)
    yield from _held(body.get("held", ()), lang)
    for title, name in (
        (Text("Ce qui est prouvé", "What is proved"), "proved"),
        (Text("Ce que les partenaires ont à attester", "What is asked of partners, and what they attest"), "attested"),
        (Text("Sauvegardes", "Backups"), "backups"),
        (Text("Ce que ce certificat ne peut pas prouver", "What this certificate cannot prove"), "not_proved"),
    ):
        sentences = [one[lang] for one in body.get(name, ())]
        if name == "backups" and "backups" in body and not sentences:
            sentences = [getattr(NO_BACKUP, lang)]
        if sentences:
            yield _h2(title, lang) + "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences) + "</ul>"
    yield _h2(Text("Vérifier ce certificat", "To check this certificate"), lang)
    check = (
        "ssh-keygen -Y verify -f trust/allowed_signers -I passerelle -n passerelle-certificate"
        " -s certificate.json.sig < certificate.json"
    )
    yield f"<p><code>{escape(check)}</code></p>{_p(OTHER_USES, lang)}<p><code>passerelle trail verify</code></p>"


def _about(value: Mapping[str, Any], lang: Lang) -> list[tuple[Text, object]]:
    deadline = value["deadline"]
    when = deadline["value"]
    return [
        (Text("convention", "convention"), value["convention"]),
        (Text("empreinte de son texte", "hash of its text"), value["convention_sha256"]),
        (Text("partie", "part"), part(value)),
        (Text("motif", "reason"), reason(value["reason"])),
        (Text("échéance", "deadline"), day(date.fromisoformat(when), lang) if isinstance(when, str) else "–"),
        (Text("fondement", "basis"), ground(deadline["basis"], deadline["article"])),
        (Text("calcul", "arithmetic"), deadline["arithmetic"][lang]),
    ]


def part(value: Mapping[str, Any]) -> Words:
    """What a plan or a certificate is about: a part of its convention, or all of it."""
    named = [f"{name} {one}" for name, one in value.get("scope", {}).items() if name != "convention"]
    return ", ".join(named) or Text("toute la convention", "the whole convention")


def _held(found: Any, lang: Lang) -> Iterator[str]:
    if found:
        yield _h2(KEPT, lang)
        rows = [
            f"<tr><td>{escape(str(one['hold'] or '–'))}</td><td>{_said(reason(one['kind']), lang)}</td>"
            f"<td>{escape(one['exchange'])}</td><td class=n>{number(sum(one['copies'].values()), lang)}</td></tr>"
            for one in found
        ]
        yield f"<table>{''.join(rows)}</table>"


def _copies(rows: Any, lang: Lang) -> str:
    lines = [
        f"<tr><td>{_said(said(COPIES, one['kind']), lang)}</td><td class=n>{number(one['count'], lang)}</td>"
        f"<td class=n>{_said(size(one['bytes'], lang), lang)}</td></tr>"
        for one in rows
    ]
    return f"<table>{''.join(lines)}</table>"


def _facts(rows: list[tuple[Text, object]], lang: Lang) -> str:
    lines = [f"<tr><th>{escape(getattr(name, lang))}</th><td>{_said(value, lang)}</td></tr>" for name, value in rows]
    return f"<table>{''.join(lines)}</table>"


def _said(value: object, lang: Lang) -> str:
    return escape(str(getattr(value, lang) if isinstance(value, Text) else value))


def _h2(title: Text, lang: Lang) -> str:
    return f"<h2>{escape(getattr(title, lang))}</h2>"


def _p(words: Text, lang: Lang) -> str:
    return f"<p>{escape(getattr(words, lang))}</p>"


def _on(instant: str, lang: Lang) -> str:
    return day(date.fromisoformat(instant[:10]), lang)
