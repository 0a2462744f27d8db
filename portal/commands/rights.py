"""person letter, erase, notices, answer, request: articles 15, 17 and 19 of the GDPR, and the clock of article 12."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from portal.commands.persons import Identifier, IdentifierFile, KindOrForm, identifier_from
from portal.commands.received import OneConvention
from portal.context import Actor, JsonFlag, Reason, actor, date_value, looked, near, opened, screen, why, written
from portal.render import Screen, Text, Tone, Words
from portal.render import day as written_day
from portal.words import COPIES, NOTICE_ANSWERS, REQUEST_STATES, RIGHTS, moment, said

if TYPE_CHECKING:
    from passerelle.persons.notifying import Notice
    from passerelle.persons.requesting import Followed
    from retention.erasing import Preview

request = typer.Typer(help="Requests of persons and their clock (GDPR article 12).", no_args_is_help=True)
Party = Annotated[str | None, typer.Option("--party", help="Whose processing it is about: a party of the convention.")]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The request's: person request list.")]


def attach(person: typer.Typer) -> None:
    """Add these commands to those of persons."""
    person.command("letter")(letter)
    person.command("erase")(erase)
    person.command("tell")(tell)
    person.command("notices")(notices)
    person.command("answer")(answer)
    person.add_typer(request, name="request")


def letter(
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the letter: JSON, text and pages.")],
    identifier: Identifier = None,
    convention: OneConvention = None,
    kind: KindOrForm = None,
    file: IdentifierFile = None,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Write the letter of article 15: what was handed over on a person, to whom by name; without the person's name."""
    from passerelle.persons import received
    from passerelle.persons.letter import files
    from passerelle.persons.letter import letter as make
    from portal.meanings import meanings
    from retention.scope import kept_by_holds

    out = screen(as_json=as_json)
    who = identifier_from(identifier, file)
    with opened() as workspace:
        seen = looked(workspace, "person_letter", "person", by=by, reason=reason, convention=convention)
        with seen as look, workspace.database.read() as connection:
            answer = received(workspace, connection, who, kind=kind, convention=convention)
            kept = kept_by_holds(workspace, connection, {one.convention for one in answer.deliveries})
            data = make(workspace, connection, answer, meanings(workspace, answer), kept)
            look.count = 1
    made = files(data)
    for name, content in made.items():
        written(out_folder / name, content, "--out")
    value = {**data, "files": [str(out_folder / name) for name in sorted(made)]}

    def show() -> None:
        out.say(_written_letter(len(answer.deliveries)), Tone.DONE)  # fmt: skip
        out.facts([(name, near(str(out_folder / name))) for name in sorted(made)])

    out.answer(value, show)


def _written_letter(count: int) -> Text:
    s, plural = ("s", "s") if count > 1 else ("", "" if count == 1 else "s")
    return Text(f"Lettre écrite : {count} transmission{s}.", f"Letter written: {count} transmission{plural}.")


def erase(
    identifier: Identifier = None,
    convention: OneConvention = None,
    kind: KindOrForm = None,
    file: IdentifierFile = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be destroyed, kept and told.")] = False,
    planned: Annotated[
        str | None, typer.Option("--as-planned", help="The number that --plan gave: nothing else is done.")
    ] = None,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Erase a person: out of every later extract, our copies destroyed unless held, each recipient to be told (GDPR articles 17 and 19)."""
    from retention.erasing import erase_person, preview_erasure, preview_id

    out = screen(as_json=as_json)
    who = identifier_from(identifier, file)
    with opened() as workspace:
        if plan:
            with looked(workspace, "person_received", "person", by=by, reason=reason, convention=convention):
                plans = preview_erasure(workspace, who, kind=kind, convention=convention)
            number = preview_id(plans)
            value = [{**one.as_json(), "plan": number} for one in plans]
            out.answer(value, lambda: _show_previews(out, plans, number))
            return
        done = erase_person(
            workspace, who, kind=kind, convention=convention, by=actor(by), reason=why(reason), planned=planned
        )
    value = [one.as_json() for one in done]
    out.answer(value, lambda: _show_erased(out, value))


def _show_previews(out: Screen, plans: Sequence[Preview], number: str) -> None:
    for one in plans:
        out.heading(one.convention)
        kinds = Counter(copy.kind for copy in one.copies)
        titles = [Text("copies entières à détruire", "whole copies to be destroyed"), Text("nombre", "count")]
        if kinds:
            out.table(titles, [(said(COPIES, kind), kinds[kind]) for kind in sorted(kinds)], right=frozenset({1}))
        else:
            out.say(Text("Aucune copie à détruire à ce jour.", "No copy to be destroyed to date."))
        told = ", ".join(sorted({each.recipient_name for each in one.deliveries})) or "–"
        out.facts([(Text("destinataires à aviser (art. 19)", "recipients to be told (art. 19)"), told)])
        for held in one.suspended:
            out.say(_kept(held.exchange, held.copies, Text(held.fr, held.en), again=False), Tone.WARNED)
    out.say(Text("Une copie est détruite en entier, avec sa clé : ce qui est scellé ne se corrige pas. Rien n'a été détruit.", "A copy is destroyed whole, with its key: what is sealed is not edited. Nothing was destroyed."), Tone.WARNED)  # fmt: skip
    out.say(Text(f"Pour effacer cela et rien d'autre : ajoutez --as-planned {number}.", f"To erase this and nothing else: add --as-planned {number}."))  # fmt: skip


def _show_erased(out: Screen, value: Sequence[dict[str, Any]]) -> None:
    for one in value:
        out.heading(one["convention"])
        out.say(Text("Effacement enregistré : la personne ne figurera plus dans aucun extrait.", "Erasure recorded: the person is in no extract to come."), Tone.DONE)  # fmt: skip
        out.facts(
            [
                (Text("échanges où elle est reconnue", "exchanges where recognised"), ", ".join(one["recognised_in"]) or "–"),
                (Text("copies détruites", "copies destroyed"), sum(each["count"] for each in one["destroyed"])),
                (Text("avis ouverts (art. 19)", "notices opened (art. 19)"), len(one["notices"])),
            ]
        )  # fmt: skip
        if one["not_recognised_in"]:
            names = ", ".join(one["not_recognised_in"])
            out.say(Text(f"Pas reconnue dans : {names}. Donnez un autre identifiant.", f"Not recognised in: {names}. Give another identifier."), Tone.WARNED)  # fmt: skip
        for held in one["suspended"]:
            out.say(_kept(held["exchange"], held["copies"], Text(**held["why"]), again=True), Tone.WARNED)
        for parcel in one["to_supersede"]:
            command = f"passerelle exchange run {one['convention']}/{parcel['exchange']} --period {parcel['period']} --input … --supersedes {parcel['parcel']} --reason erasure"  # fmt: skip
            out.say(Text(f"À remplacer chez {parcel['recipient']} : {command}", f"To be superseded at {parcel['recipient']}: {command}"))  # fmt: skip


def _kept(exchange: str, copies: int, why: Text, *, again: bool) -> Text:
    """What a hold keeps of an erasure; ``again``: that it is to be done again once lifted."""
    s, ies = ("s", "ies") if copies > 1 else ("", "y")
    then = Text(" ; recommencez à la levée", "; do it again once lifted") if again else Text("", "")
    return Text(
        f"{exchange} : {copies} copie{s} conservée{s}, {why.fr}{then.fr}.",
        f"{exchange}: {copies} cop{ies} kept, {why.en}{then.en}.",
    )


def tell(
    number: Number,
    identifier: Identifier = None,
    kind: KindOrForm = None,
    file: IdentifierFile = None,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Open a notice of a rectification or a restriction for each recipient of data on the person (GDPR article 19)."""
    from passerelle.persons.notifying import notify_recipients

    out = screen(as_json=as_json)
    who = identifier_from(identifier, file)
    with opened() as workspace:
        found = notify_recipients(workspace, number, who, kind=kind, by=actor(by), reason=why(reason))
    nobody = Text("Aucun avis : aucun destinataire n'a reçu de données de cette personne.", "No notice: no recipient received data of this person.")  # fmt: skip
    out.answer([one.as_json() for one in found], lambda: _show_notices(out, found) if found else out.say(nobody))


def notices(
    convention: OneConvention = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those without an answer.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the notices to recipients (GDPR article 19): whom to tell, since when, what was answered."""
    from passerelle.persons.notifying import notices as every

    out = screen(as_json=as_json)
    where = {} if convention is None else {"convention": convention}
    with (
        opened() as workspace,
        looked(workspace, "requests_read", "notices", convention=convention),
        workspace.database.read() as connection,
    ):
        found = [one for one in every(workspace, connection, **where) if not (open_only and one.row.answered_at)]
    out.answer([one.as_json() for one in found], lambda: _show_notices(out, found))


def _show_notices(out: Screen, found: Sequence[Notice]) -> None:
    if not found:
        out.say(Text("Aucun avis à un destinataire.", "No notice to a recipient."))
        return
    titles = [
        Text("avis", "notice"), Text("motif", "ground"), Text("destinataire", "recipient"), Text("délégué", "officer"),
        Text("colis", "parcel"), Text("depuis", "since"), Text("réponse", "answer"),
    ]  # fmt: skip
    rows = [
        (
            one.row.id, RIGHTS[one.row.ground], one.recipient_name, _officer(one.as_json()["dpo"]), one.row.delivery,
            moment(one.row.made_at, out.lang),
            said(NOTICE_ANSWERS, one.row.answer) or (Text("en retard", "late") if one.late else Text("attendue", "awaited")),
        )
        for one in found
    ]  # fmt: skip
    out.table(titles, rows)


def answer(
    notice: Annotated[str, typer.Argument(metavar="NOTICE", help="Its number: person notices.")],
    what: Annotated[str, typer.Argument(metavar="ANSWER", help="done, impossible, disproportionate or refused.")],
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Note what a recipient answered to a notice."""
    from passerelle.persons.notifying import answer_notice

    out = screen(as_json=as_json)
    with opened() as workspace:
        done = answer_notice(workspace, notice, what, by=actor(by), reason=why(reason))
    out.answer(done.as_json(), lambda: out.say(Text("Réponse enregistrée.", "Answer recorded."), Tone.DONE))


@request.command("open")
def open_(
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="access, rectification, erasure, restriction, portability or objection.")],
    received_on: Annotated[str | None, typer.Option("--received-on", help="The day that it came; by default today.")] = None,
    convention: OneConvention = None,
    party: Party = None,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Put a request of a person on the register; it gets a number and a last day, the person stays unnamed."""
    from passerelle.persons.requesting import open_request

    out = screen(as_json=as_json)
    day = None if received_on is None else date_value(received_on, "--received-on")
    with opened() as workspace:
        made = open_request(
            workspace, right, by=actor(by), received_on=day, convention=convention, party=party, reason=why(reason)
        )
    out.answer(made.as_json(), lambda: _show_request(out, made))


@request.command("extend")
def extend(
    number: Number,
    ground: Annotated[str, typer.Option("--for", help="complexity or number: the two grounds of article 12(3).")],
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Take two further months to answer; the person must be told why within the first."""
    from passerelle.persons.requesting import extend_request

    out = screen(as_json=as_json)
    with opened() as workspace:
        made = extend_request(workspace, number, ground, by=actor(by), reason=why(reason))
    out.answer(made.as_json(), lambda: _show_request(out, made))


@request.command("answer")
def answered(
    number: Number,
    what: Annotated[str, typer.Argument(metavar="ANSWER", help="granted, partly, refused, no-data, withdrawn or identity-unproved.")],
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Note that a request was answered, and how."""
    from passerelle.persons.requesting import answer_request

    out = screen(as_json=as_json)
    with opened() as workspace:
        made = answer_request(workspace, number, what, by=actor(by), reason=why(reason))
    out.answer(made.as_json(), lambda: _show_request(out, made))


@request.command("list")
def list_(convention: OneConvention = None, as_json: JsonFlag = False) -> None:
    """Show the requests of persons, the first to answer first."""
    from passerelle.persons.requesting import followed

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "requests_read", "requests", convention=convention),
        workspace.database.read() as connection,
    ):
        found = followed(workspace, connection, convention=convention)
    titles = [
        Text("demande", "request"), Text("droit", "right"), Text("reçue", "received"), Text("réponse due", "due"),
        Text("état", "state"), Text("jours restants", "days left"), Text("convention", "convention"),
    ]  # fmt: skip
    rows = [
        (
            one.row.id, RIGHTS[one.row.right], _on(one.row.received_on, out), _on(one.row.due, out), REQUEST_STATES[one.state],
            one.days_left, one.row.convention,
        )
        for one in found
    ]  # fmt: skip
    out.answer([one.as_json() for one in found], lambda: out.table(titles, rows, right=frozenset({5})))


def _officer(dpo: str) -> Words:
    return Text("délégué non indiqué", "officer not stated") if dpo == "not_stated" else dpo


def _on(text: str, out: Screen) -> str:
    return written_day(date_value(text, "date"), out.lang)


def _show_request(out: Screen, one: Followed) -> None:
    tone = Tone.REFUSED if one.state in {"late", "answered_late"} else Tone.DONE
    out.say(Text(f"Demande {one.row.id} : {REQUEST_STATES[one.state].fr}.", f"Request {one.row.id}: {REQUEST_STATES[one.state].en}."), tone)  # fmt: skip
    out.facts(
        [
            (Text("droit", "right"), RIGHTS[one.row.right]),
            (Text("réponse due le", "to be answered by"), _on(one.row.due, out)),
            (Text("calcul", "arithmetic"), one.clock.as_json()["arithmetic"][out.lang]),
            *((way.name, _officer(way.dpo)) for way in one.routes),
        ]
    )
