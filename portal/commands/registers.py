"""register, breach: article 30, what a DPO asks of the registers, and the scope of a breach (articles 33 and 34)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from passerelle.errors import UsageError
from portal.context import JsonFlag, Reason, instant_value, looked, near, opened, screen, written
from portal.render import Screen, Text, Tone
from portal.words import BREACH_STATES, FINDINGS, PARIS, PERSON, PERSONS, SECOND_LOCKS, moment, said

if TYPE_CHECKING:
    pass

register = typer.Typer(help="What a DPO's registers hold (GDPR articles 5, 13, 28 and 30).", no_args_is_help=True)
breach = typer.Typer(help="Breaches: their scope and their clock (GDPR articles 33 and 34).", no_args_is_help=True)
OneConvention = Annotated[str | None, typer.Option("--convention", help="One convention only; by default all.")]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(register, name="register")
    app.add_typer(breach, name="breach")


@register.command("article30")
def article30(
    convention: OneConvention = None,
    form: Annotated[str, typer.Option("--format", help="csv, html, json, or table on the screen.")] = "table",
    out_file: Annotated[Path | None, typer.Option("--out", help="A file for it, rather than the screen.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the record of processing: what conventions declare, and whether it happened (GDPR article 30)."""
    from passerelle.persons.article30 import article30 as find
    from passerelle.persons.article30 import as_csv, as_page
    from portal.meanings import columns_of

    if form not in {"table", "csv", "html", "json"}:
        raise UsageError("--format: expected csv, html, json or table", fr="--format : csv, html, json ou table")
    out = screen(as_json=as_json or form == "json")
    with (
        opened() as workspace,
        looked(workspace, "registers_read", "article30", convention=convention),
        workspace.database.read() as connection,
    ):
        found = find(workspace, connection, columns_of, convention)
    value = [one.as_json() for one in found]
    whole = as_csv(found, out.lang) if form == "csv" else as_page(found, out.lang)
    if form in {"csv", "html"} and not as_json:
        if out_file is None:
            typer.echo(whole, nl=False)
        else:
            written(out_file, whole.encode(), "--out")
            out.say(Text(f"Registre écrit : {near(str(out_file))}", f"Register written: {near(str(out_file))}"), Tone.DONE)  # fmt: skip
        return
    titles = [Text("échange", "exchange"), Text("personnes", "persons"), Text("article", "article"), Text("destinataires", "recipients"), Text("constat", "finding"), Text("remises", "deliveries")]  # fmt: skip
    rows = [
        (f"{one.convention}/{one.exchange}", said(PERSONS, one.persons), one.article, ", ".join(one.recipients), FINDINGS[one.finding], one.deliveries)
        for one in found
    ]  # fmt: skip
    out.answer(value, lambda: out.table(titles, rows, right=frozenset({5})))


def _listed(
    name: str, convention: str | None, *, as_json: bool, show: Callable[[Screen, list[dict[str, Any]]], None]
) -> None:
    """Read one of the small registers, of one convention or of all, and show it."""
    from passerelle.persons import registers

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "registers_read", name, convention=convention),
        workspace.database.read() as connection,
    ):
        names = [convention] if convention else workspace.convention_ids()
        found = [one for each in names for one in getattr(registers, name)(workspace, connection, each)]
    out.answer(found, lambda: show(out, found))


@register.command("notices")
def notices(convention: OneConvention = None, as_json: JsonFlag = False) -> None:
    """Show how persons are informed: the clause, and the notice on record with its version."""

    def show(out: Screen, found: list[dict[str, Any]]) -> None:
        titles = [Text("échange", "exchange"), Text("personnes", "persons"), Text("texte", "text"), Text("notice, version, date", "notice, version, day")]  # fmt: skip
        rows = [
            (
                f"{one['convention']}/{one['exchange']}", said(PERSONS, one["persons"]), one["article"] or Text("muet", "silent"),
                "; ".join(f"{each['notice']}, {each['version']}, {each['on']}" for each in one["records"]) or Text("rien au dossier", "nothing on file"),
            )
            for one in found
        ]  # fmt: skip
        out.table(titles, rows)

    _listed("notices", convention, as_json=as_json, show=show)


@register.command("processors")
def processors(convention: OneConvention = None, as_json: JsonFlag = False) -> None:
    """Show processors and third parties, with the guarantees on record (GDPR article 28)."""

    def show(out: Screen, found: list[dict[str, Any]]) -> None:
        titles = [Text("convention", "convention"), Text("organisme", "organisation"), Text("rôle", "role"), Text("garanties", "guarantees"), Text("déclaré", "declared")]  # fmt: skip
        out.table(titles, [(one["convention"], one["name"], one["role"], str(one["guarantees"]), one["declared_on"]) for one in found])  # fmt: skip

    _listed("processors", convention, as_json=as_json, show=show)


@register.command("fields")
def fields(convention: OneConvention = None, as_json: JsonFlag = False) -> None:
    """Show which fields a recipient receives and declares never to use: those should no longer be sent."""

    def show(out: Screen, found: list[dict[str, Any]]) -> None:
        titles = [Text("échange", "exchange"), Text("destinataire", "recipient"), Text("reçues", "received"), Text("jamais utilisées", "never used")]  # fmt: skip
        rows = [
            (
                f"{one['convention']}/{one['exchange']}", one["recipient"], len(one["received"]),
                Text("pas de déclaration", "no declaration") if one["unused"] is None else ", ".join(one["unused"]) or "–",
            )
            for one in found
        ]  # fmt: skip
        out.table(titles, rows, right=frozenset({2}))

    _listed("fields", convention, as_json=as_json, show=show)


@register.command("interpretations")
def interpretations(convention: OneConvention = None, as_json: JsonFlag = False) -> None:
    """Show what rests on an interpretation: how each point is read, who decides, and how many decisions stand on it."""

    def show(out: Screen, found: list[dict[str, Any]]) -> None:
        points = [one for one in found if "point" in one]
        titles = [Text("point", "point"), Text("sujet", "about"), Text("lecture", "read as"), Text("qui décide", "who decides"), Text("tranché le", "decided on")]  # fmt: skip
        out.table(titles, [(one["point"], one["about"][out.lang], one["read_as"], one["who_decides"], one["decided_on"]) for one in points])  # fmt: skip
        for one in found:
            if "decisions" in one:
                out.say(Text(f"{one['convention']}/{one['exchange']} : {one['decisions']} décisions par interprétation.", f"{one['convention']}/{one['exchange']}: {one['decisions']} decisions by interpretation."))  # fmt: skip

    _listed("interpretations", convention, as_json=as_json, show=show)


@breach.command("scope")
def scope(
    key: Annotated[str | None, typer.Option("--key", help="The fingerprint of a lost key, or its beginning.")] = None,
    partner: Annotated[str | None, typer.Option("--partner", help="What one partner received.")] = None,
    convention: OneConvention = None,
    since: Annotated[str | None, typer.Option("--since", help="From this day or instant on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this day or instant.")] = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Show what a breach touched: deliveries, how many persons, which columns, who has them, what can still be opened."""
    from passerelle.handover.breach import scope as find
    from portal.meanings import columns_of

    out = screen(as_json=as_json)
    first, last = _instant(since, "--since"), _instant(until, "--until")
    with (
        opened() as workspace,
        looked(workspace, "breach_scope", "scope", reason=reason, partner=partner, convention=convention) as look,
        workspace.database.read() as connection,
    ):
        found = find(workspace, connection, columns_of, key=key, partner=partner, convention=convention, since=first, until=last)  # fmt: skip
        look.count = found.persons_at_most
    value = found.as_json()

    def show() -> None:
        counts = value["counts"]
        out.facts(
            [
                (Text("remises", "deliveries"), counts["deliveries"]),
                (Text("lignes", "rows"), counts["rows"]),
                (Text("personnes, au plus", "persons, at most"), counts["persons_at_most"]),
                (Text("destinataires", "recipients"), ", ".join(value["recipients"]) or "–"),
                (Text("encore lisibles par qui a la clé", "still readable with the key"), value["still_openable"]),
                *((_columns(name), ", ".join(names)) for name, names in value["columns"].items() if names),
            ]
        )  # fmt: skip
        titles = [Text("remis", "delivered"), Text("destinataire", "recipient"), Text("échange", "exchange"), Text("lignes", "rows"), Text("second verrou", "second lock"), Text("colis", "parcel")]  # fmt: skip
        rows = [(moment(one.delivered_at, out.lang), one.recipient, f"{one.convention}/{one.exchange}", one.rows, said(SECOND_LOCKS, one.second_lock), one.parcel) for one in found.deliveries]  # fmt: skip
        out.table(titles, rows, right=frozenset({3}))

    out.answer(value, show)


def _columns(sense: str) -> Text:
    """How the columns of a kind tell who somebody is."""
    said_of = PERSON[sense]
    if sense not in {"direct", "indirect"}:
        return Text(f"colonnes ({said_of.fr})", f"columns ({said_of.en})")
    return Text(f"colonnes qui identifient {said_of.fr}", f"columns that identify {said_of.en}")


def _instant(text: str | None, name: Literal["--since", "--until"]) -> datetime | None:
    return None if text is None else instant_value(text, name, PARIS)


@breach.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Show the breaches on record (convention record ID breach_known), each with its 72 hours."""
    from passerelle.handover.breach import breaches

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "breach_scope", "breaches"),
        workspace.database.read() as connection,
    ):
        found = breaches(workspace, connection)
    titles = [Text("convention", "convention"), Text("violation", "breach"), Text("connue", "known"), Text("à notifier avant", "notify before"), Text("état", "state")]  # fmt: skip
    rows = [(one["convention"], one["breach"], moment(one["known_at"], out.lang), moment(one["due"], out.lang), BREACH_STATES[one["state"]]) for one in found]  # fmt: skip
    out.answer(found, lambda: out.table(titles, rows))
