"""hold: a litigation or a legal duty keeps what it names beyond its day, until it is lifted."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, content, date_value, looked, opened, screen
from portal.render import Lang, Screen, Text, Tone, day
from portal.words import HOLD_STATES, REASONS, said

if TYPE_CHECKING:
    from retention.suspending import Standing

hold = typer.Typer(help="Holds: what must be kept beyond its day, why, by whom, until when.", no_args_is_help=True)
Evidence = Annotated[Path | None, typer.Option("--evidence", help="The document that shows it: its hash is kept.")]
KINDS = {
    "litigation": "litigation", "contentieux": "litigation", "legal_obligation": "legal_obligation",
    "legal-obligation": "legal_obligation", "obligation-légale": "legal_obligation", "obligation_légale": "legal_obligation",
    "obligation-legale": "legal_obligation", "obligation_legale": "legal_obligation",
}  # fmt: skip


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(hold, name="hold")


@hold.command("place")
def place(
    convention: Annotated[str, typer.Argument(metavar="CONVENTION", help="The convention, or CONVENTION/EXCHANGE.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; no value of a person.")],
    review: Annotated[str, typer.Option("--review", help="The day on which somebody looks at it again.")],
    owner: Annotated[str | None, typer.Option("--owner", help="Who answers for it; by default who places it.")] = None,
    dataset: Annotated[list[str] | None, typer.Option("--dataset", help="Only this dataset; may be repeated.")] = None,
    exchange: Annotated[
        list[str] | None, typer.Option("--exchange", help="Only this exchange; may be repeated.")
    ] = None,
    period: Annotated[str | None, typer.Option("--period", help="Only this period: 2025, 2025-Q2, 2025-05…")] = None,
    person: Annotated[
        str | None,
        typer.Option("--person", help="Only what has this person: an identifier; a keyed tag is kept of it."),
    ] = None,
    person_kind: Annotated[
        str | None, typer.Option("--person-kind", help="The kind of that identifier, where its form does not say it.")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="litigation or legal_obligation.")] = "litigation",
    since: Annotated[str | None, typer.Option("--on", help="Its first day; by default today.")] = None,
    evidence: Evidence = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep what is named from every purge until the hold is lifted; the rest goes on its day."""
    from passerelle.convention.holds import HoldKind
    from retention.suspending import Asked
    from retention.suspending import place as place_one

    out, who = screen(as_json=as_json), actor(by)
    meant = KINDS.get(kind.strip().lower())
    if meant not in get_args(HoldKind):
        raise UsageError(
            "--kind: expected litigation or legal_obligation", fr="--kind : il faut contentieux ou obligation-légale"
        )
    name, _, within = convention.partition("/")
    asked = Asked(
        kind=meant,  # type: ignore[arg-type]  # one of the literals, as just checked
        reason=reason,
        owner=owner or who,
        review=date_value(review, "--review"),
        names=(*(dataset or ()), *(exchange or ()), *([within] if within else ())),
        period=period,
        person=person,
        person_kind=person_kind,
        since=date_value(since, "--on") if since else None,
        evidence_sha256=_hash(evidence),
    )
    with opened() as workspace, looked(workspace, "hold_placed", name, by=who, reason=reason, convention=name):
        found = place_one(workspace, name, asked, by=who)
    out.answer(found.as_json(), lambda: _tell_placed(out, found))


def _tell_placed(out: Screen, found: Standing) -> None:
    out.say(
        Text(
            f"Suspension {found.id} enregistrée sur {found.convention} : {found.copies} copie{'s' if found.copies > 1 else ''} "
            f"retenue{'s' if found.copies > 1 else ''}, réexamen le {_on(found.review, 'fr')}.",
            f"Hold {found.id} placed on {found.convention}: {found.copies} cop{'y' if found.copies == 1 else 'ies'} kept, "
            f"review on {_on(found.review, 'en')}.",
        ),
        Tone.DONE,
    )
    if not found.copies:
        out.say(
            Text(
                "Rien de ce qu'elle nomme n'est détenu à ce jour : elle retiendra ce qui viendra.",
                "Nothing that it names is held today: it will keep what comes.",
            ),
            Tone.WARNED,
        )
    if found.evidence_sha256 is None:
        out.say(
            Text(
                "Sans pièce justificative : joignez-la au prochain réexamen (passerelle hold review --evidence).",
                "Without evidence: join it to the next review (passerelle hold review --evidence).",
            ),
            Tone.WARNED,
        )


@hold.command("lift")
def lift(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="The hold's id: passerelle hold list.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; no value of a person.")],
    on: Annotated[str | None, typer.Option("--on", help="The day of the lifting; by default today.")] = None,
    evidence: Evidence = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Lift a hold: what it kept beyond its day is due at once, with the next purge."""
    from retention.suspending import kept, one_of
    from retention.suspending import lift as lift_one

    out, who = screen(as_json=as_json), actor(by)
    when = date_value(on, "--on") if on else None
    with opened() as workspace, looked(workspace, "hold_lifted", hold_id, by=who, reason=reason) as look:
        with workspace.database.read() as connection:
            going = sum(one.going for one in kept(workspace, connection, one_of(workspace, hold_id)))
        found = lift_one(workspace, hold_id, reason=reason, by=who, on=when, evidence_sha256=_hash(evidence))
        look.convention = found.convention
    out.answer(found.as_json(), lambda: _tell_lifted(out, found, going))


def _tell_lifted(out: Screen, found: Standing, going: int) -> None:
    """What lifting a hold sets free: its copies past their day, or none that is."""
    text = Text(
        "aucune copie n'est due à ce jour, toutes suivent leur échéance (passerelle purge plan)",
        "no copy is due to date, all follow their deadline (passerelle purge plan)",
    )
    if going:
        run = f"passerelle purge run {found.convention} --confirm"
        text = Text(
            f"{going} copie{'s' if going > 1 else ''} à détruire aussitôt ({run})",
            f"{going} cop{'ies' if going > 1 else 'y'} to be destroyed at once ({run})",
        )
    out.say(Text(f"Suspension {found.id} levée : {text.fr}.", f"Hold {found.id} lifted: {text.en}."), Tone.DONE)


@hold.command("review")
def review(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="The hold's id: passerelle hold list.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it stays; no value of a person.")],
    following: Annotated[str, typer.Option("--review", help="The day on which somebody looks at it again.")],
    evidence: Evidence = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Say that a hold was looked at again and stays, and when the next look is due."""
    from retention.suspending import review as review_one

    out, who = screen(as_json=as_json), actor(by)
    next_look = date_value(following, "--review")
    with opened() as workspace, looked(workspace, "hold_reviewed", hold_id, by=who, reason=reason) as look:
        found = review_one(
            workspace, hold_id, reason=reason, following=next_look, by=who, evidence_sha256=_hash(evidence)
        )
        look.convention = found.convention
    text = Text(
        f"Suspension {found.id} maintenue, prochain réexamen le {_on(found.review, 'fr')}.",
        f"Hold {found.id} stays, next review on {_on(found.review, 'en')}.",
    )
    out.answer(found.as_json(), lambda: out.say(text, Tone.DONE))


@hold.command("list")
def list_holds(
    convention: Annotated[str | None, typer.Argument(metavar="[CONVENTION]", help="One convention only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show every hold: active, lifted, past its review."""
    from retention.suspending import standing

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        if convention is not None:
            workspace.convention(convention)
        value = [one.as_json() for one in standing(workspace, connection, convention)]
    out.answer(value, lambda: _show(out, value))


def _show(out: Screen, value: list[dict[str, Any]]) -> None:
    if not value:
        out.say(Text("Aucune suspension.", "No hold."))
        return
    titles = [
        Text("numéro", "id"), Text("état", "state"), Text("convention", "convention"), Text("porte sur", "keeps"),
        Text("nature", "kind"), Text("depuis", "since"), Text("réexamen", "review"), Text("responsable", "owner"),
        Text("motif", "reason"), Text("copies", "copies"),
    ]  # fmt: skip
    rows = [
        (
            one["id"], said(HOLD_STATES, one["state"]), one["convention"], _scope(out, one["scope"]), said(REASONS, one["kind"]),
            _written(one["since"], out), _written(one["review"], out), one["owner"], one["reason"], one["copies"],
        )
        for one in value
    ]  # fmt: skip
    out.table(titles, rows, right=frozenset({9}))


def _on(when: date | None, lang: Lang) -> str:
    return "–" if when is None else day(when, lang)


def _written(text: str | None, out: Screen) -> str:
    return _on(None if text is None else date.fromisoformat(text), out.lang)


def _scope(out: Screen, scope: dict[str, Any]) -> str:
    parts = [*scope["names"], *([scope["period"]] if scope["period"] else [])]
    if scope["person"]:
        parts.append("une personne" if out.lang == "fr" else "one person")
    return ", ".join(parts) or ("toute la convention" if out.lang == "fr" else "the whole convention")


def _hash(evidence: Path | None) -> str | None:
    return hashlib.sha256(content(evidence, "--evidence")).hexdigest() if evidence else None
