"""person received: which deliveries concern a person, by the keyed index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from portal.commands.persons import Identifier, IdentifierFile, KindOrForm, identifier_from
from portal.context import Actor, JsonFlag, Reason, looked, opened, screen
from portal.render import Screen, Text, Tone, number, small
from portal.words import moment

if TYPE_CHECKING:
    from passerelle.persons import Answer

OneConvention = Annotated[str | None, typer.Option("--convention", help="One convention's deliveries only.")]


def attach(person: typer.Typer) -> None:
    """Add this command to those of persons."""
    person.command("received")(received)


def received(
    identifier: Identifier = None,
    convention: OneConvention = None,
    kind: KindOrForm = None,
    file: IdentifierFile = None,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Show who received data on a person: when, which columns, under which article (GDPR article 15)."""
    from passerelle.persons import received as find

    out = screen(as_json=as_json)
    who = identifier_from(identifier, file)
    with opened() as workspace:
        seen = looked(workspace, "person_received", "person", by=by, reason=reason, convention=convention)
        with seen as look, workspace.database.read() as connection:
            answer = find(workspace, connection, who, kind=kind, convention=convention)
            look.count = 1
    out.answer(answer.as_json(), lambda: show(out, answer))


def show(out: Screen, answer: Answer) -> None:
    """The answer for people."""
    if not answer.deliveries:
        out.say(Text("Aucune remise connue ne concerne cette personne.", "No known delivery concerns this person."))
    titles = [
        Text("remis", "delivered"), Text("destinataire", "recipient"), Text("échange", "exchange"),
        Text("période", "period"), Text("article", "article"), Text("ouvert", "opened"), Text("reçu", "receipt"),
        Text("colis", "parcel"),
    ]  # fmt: skip
    rows = [
        (
            moment(one.delivered_at, out.lang), one.recipient_name, f"{one.convention}/{one.exchange}", one.period,
            one.article, moment(one.opened_at, out.lang), moment(one.receipted_at, out.lang), one.delivery,
        )
        for one in answer.deliveries
    ]  # fmt: skip
    if rows:
        out.table(titles, rows)
    for columns in sorted({(one.exchange, one.columns) for one in answer.deliveries}):
        out.facts([(Text(f"colonnes de {columns[0]}", f"columns of {columns[0]}"), ", ".join(columns[1]) or "–")])
    _remarks(out, answer)


def _remarks(out: Screen, answer: Answer) -> None:
    for one in answer.deliveries:
        if one.superseded_by or one.resent_as:
            fr = f"remplacé par {one.superseded_by}" if one.superseded_by else f"renvoyé sous {one.resent_as}"
            en = f"superseded by {one.superseded_by}" if one.superseded_by else f"sent again as {one.resent_as}"
            out.say(Text(f"Colis {one.delivery} : {fr}.", f"Parcel {one.delivery}: {en}."), Tone.FAINT)
    if any(one.weak for one in answer.deliveries):
        out.say(Text("Reconnue par nom et date de naissance : clé faible, deux personnes peuvent la partager ; vérifiez l'identité.", "Recognised by name and date of birth: a weak key, two persons may share it; check the identity."), Tone.WARNED)  # fmt: skip
    if any(one.purged for one in answer.deliveries):
        out.say(Text("Convention détruite : les colonnes sont celles que la convention autorise.", "Convention purged: the columns are those that the convention allows."), Tone.WARNED)  # fmt: skip
    for gone in answer.expired:
        when = moment(gone.since, out.lang)
        out.say(Text(f"{gone.convention} : l'index des personnes a été détruit ({when}) ; on ne peut plus savoir qui y figurait.", f"{gone.convention}: the person index was destroyed ({when}); who was in it can no longer be known."), Tone.WARNED)  # fmt: skip
    runs, tags = answer.runs_searched, number(answer.tags_searched, out.lang)
    chance = small(answer.false_positive, out.lang)
    out.say(Text(f"Index interrogé : {runs} traitement{'s' if runs > 1 else ''}, {tags} empreinte{'s' if answer.tags_searched > 1 else ''} ; probabilité d'y trouver une remise d'autrui : {chance}.", f"Index searched: {runs} run{'' if runs == 1 else 's'}, {tags} tag{'' if answer.tags_searched == 1 else 's'}; chance of a delivery of somebody else: {chance}."), Tone.FAINT)  # fmt: skip
