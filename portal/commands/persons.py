"""person: the rights of persons. An identifier is read, tagged, and kept nowhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, content, looked, opened, screen
from portal.render import Text, Tone
from portal.words import moment

MAX_IDENTIFIER = 1000  # characters
person = typer.Typer(help="The rights of persons (GDPR articles 15 to 21).", no_args_is_help=True)

Convention = Annotated[str, typer.Option("--convention", help="The convention's id.")]
Kind = Annotated[str, typer.Option("--kind", help="What the identifier is: nir, avs, france-travail, email, trainee, name-birth.")]  # fmt: skip
KindOrForm = Annotated[str | None, typer.Option("--kind", help="What the identifier is: nir, avs, france-travail, email, trainee, name-birth (NOM;PRÉNOM;AAAA-MM-JJ). By default what its form says.")]  # fmt: skip
Identifier = Annotated[
    str | None,
    typer.Argument(metavar="IDENTIFIER", help="Better not given here: the shell remembers. Without it, standard input is read."),
]  # fmt: skip
IdentifierFile = Annotated[
    Path | None, typer.Option("--identifier-file", help="A file that holds the identifier alone.")
]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(person, name="person")


def identifier_from(given: str | None, file: Path | None) -> str:
    """The identifier: as given, from a file, typed without being shown, or from standard input.

    Raises:
        UsageError: none, or two.
    """
    given = None if given == "-" else given
    if given is not None and file is not None:
        raise UsageError("expected one identifier, two came", fr="un seul identifiant à la fois")
    if given is None and file is not None:
        given = content(file, "--identifier-file").decode("utf-8", "replace")
    elif given is None and sys.stdin.isatty():
        import getpass

        given = getpass.getpass("")
    elif given is None:
        given = sys.stdin.read(MAX_IDENTIFIER + 1)
    text = given.strip()
    if not text or len(text) > MAX_IDENTIFIER or "\n" in text:
        raise UsageError(
            "expected one identifier on one line",
            hint="give it on standard input, or in a file with --identifier-file",
            fr="il faut un identifiant, sur une ligne",
            hint_fr="donnez-le sur l'entrée standard, ou dans un fichier avec --identifier-file",
        )
    return text


@person.command("object")
def object_(
    convention: Convention,
    kind: Kind,
    identifier: Identifier = None,
    exchange: Annotated[str | None, typer.Option(help="One exchange only; by default the whole convention.")] = None,
    file: IdentifierFile = None,
    reason: Annotated[str, typer.Option(help="Why, for the access log; no value of the person.")] = "",
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Record that a person objects: from now on no extract of the convention has them (GDPR article 21)."""
    from contracts.registry import contract
    from passerelle.persons import bearing, record_objection, scheme_named

    out = screen(as_json=as_json)
    who, kind = identifier_from(identifier, file), scheme_named(kind)
    with opened() as workspace:
        recorded = record_objection(
            workspace, convention, kind, who, by=actor(by), exchange=exchange, reason=reason
        )  # fmt: skip
        text = workspace.convention(convention)
        where = bearing(text, kind, exchange, lambda name: contract(name).columns)
    value: dict[str, Any] = {
        "objection": recorded.id,
        "new": recorded.new,
        "convention": convention,
        "exchange": exchange,
        "recognised_in": list(where.recognised),
        "not_recognised_in": list(where.not_recognised),
    }

    def show() -> None:
        out.say(Text("Opposition enregistrée.", "Objection recorded.") if recorded.new else Text("Cette opposition était déjà enregistrée.", "This objection was on record already."), Tone.DONE)  # fmt: skip
        out.facts(
            [
                (Text("opposition", "objection"), recorded.id),
                (Text("échanges où la personne sera reconnue", "exchanges where the person is recognised"), ", ".join(where.recognised) or "–"),
            ]
        )  # fmt: skip
        if where.not_recognised:
            names = ", ".join(where.not_recognised)
            out.say(Text(f"Pas reconnue dans : {names}. Ces fichiers n'ont pas ce type d'identifiant : enregistrez-en un autre.", f"Not recognised in: {names}. These files lack this kind of identifier: record another one."), Tone.WARNED)  # fmt: skip
        if kind == "name-birth":
            out.say(Text("Nom et date de naissance : clé faible, deux personnes peuvent la partager.", "Name and date of birth: a weak key, two persons may share it."), Tone.WARNED)  # fmt: skip

    out.answer(value, show)


@person.command("objections")
def objections_(
    convention: Annotated[str | None, typer.Option("--convention", help="One convention's only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the objections that stand: by id, never by person."""
    from passerelle.store import objections

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "requests_read", "objections", convention=convention),
        workspace.database.read() as connection,
    ):
        found = objections.standing(connection, convention)
    names = ("id", "convention", "exchange", "scheme", "ground", "recorded_at")
    value = [{name: getattr(one, name) for name in names} for one in found]
    titles = [
        Text("opposition", "objection"), Text("convention", "convention"), Text("échange", "exchange"),
        Text("identifiant", "identifier"), Text("motif", "ground"), Text("depuis", "since"),
    ]  # fmt: skip
    grounds = {"objection": Text("opposition", "objection"), "erasure": Text("effacement", "erasure")}
    rows = [
        (
            one.id, one.convention, one.exchange or Text("tous", "all"), one.scheme, grounds[one.ground],
            moment(one.recorded_at, out.lang),
        )
        for one in found
    ]  # fmt: skip
    out.answer(value, lambda: out.table(titles, rows))


@person.command("withdraw")
def withdraw(
    objection: Annotated[str, typer.Argument(metavar="OBJECTION", help="Its id: person objections.")],
    reason: Annotated[str, typer.Option(help="Why, for the access log; no value of the person.")] = "",
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Take an objection back, when the person asks for it."""
    from passerelle.persons import withdraw_objection

    out = screen(as_json=as_json)
    with opened() as workspace:
        withdraw_objection(workspace, objection, by=actor(by), reason=reason)
    out.answer({"objection": objection, "withdrawn": True}, lambda: out.say(Text("Opposition retirée.", "Objection withdrawn."), Tone.DONE))  # fmt: skip
