"""contract: what each dataset must look like."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from portal.context import JsonFlag, content, regular, screen, stream, today
from portal.render import Screen, Text, Tone, number
from portal.words import BASIS, PERSON, said

contract = typer.Typer(help="Data contracts: what each dataset must look like.", no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset, or dataset@version: contract list.")]
Compared = Annotated[str, typer.Argument(metavar="D", help="A dataset, dataset@version, or one of its dialects.")]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(contract, name="contract")


@contract.command("list")
def list_contracts(as_json: JsonFlag = False) -> None:
    """Show the datasets and their versions."""
    from contracts.registry import contracts

    out = screen(as_json=as_json)
    known = contracts()
    value = [{"dataset": c.id, "version": c.version, "title": dict(c.title), "columns": len(c.columns)} for c in known]
    titles = [
        Text("jeu de données", "dataset"),
        Text("version", "version"),
        Text("intitulé", "title"),
        Text("colonnes", "columns"),
    ]
    rows = [(c.id, c.version, c.title[out.lang], len(c.columns)) for c in known]
    out.answer(value, lambda: out.table(titles, rows, right=frozenset({3})))


@contract.command("show")
def show(dataset: Dataset, as_json: JsonFlag = False) -> None:
    """Show the columns of a dataset: what each means, and what it says of a person."""
    from contracts.pages import edition, marks
    from contracts.registry import contract as find
    from contracts.registry import contracts

    out = screen(as_json=as_json)
    found = find(dataset)
    value = {
        "dataset": found.id,
        "version": found.version,
        "versions": [c.version for c in contracts() if c.id == found.id],
        "served_until": found.served_until.isoformat() if found.served_until else None,
        "served_until_basis": "hub_policy" if found.served_until else None,
        "title": dict(found.title),
        "description": dict(found.description),
        "unique": [list(key) for key in found.unique],
        "dialects": [{"id": d.id, "sender": d.sender, "format": d.format, "encoding": d.encoding} for d in found.dialects],
        "columns": [
            {
                "name": c.name, "fr": c.fr, "en": c.en, "kind": c.kind.value, "person": c.person.value,
                "required": c.required, "identifier": c.identifier, "codes": edition(c.codes) if c.codes else None,
                "free_text": c.free_text, "part": c.part,
            }
            for c in found.columns
        ],
        "rules": [{"id": rule.id, "column": rule.column, "fr": rule.fr, "en": rule.en} for rule in found.rules],
        "notes": [{"id": note.id, "column": note.column, "fr": note.fr, "en": note.en} for note in found.notes],
    }  # fmt: skip

    def told() -> None:
        out.heading(f"{found.title[out.lang]} ({found.id} {found.version})")
        if found.served_until:
            day = f"{found.served_until:%d/%m/%Y}"
            basis = BASIS["hub_policy"]
            out.say(
                Text(
                    f"Version remplacée, servie jusqu'au {day} ({basis.fr})",
                    f"Replaced version, served until {day} ({basis.en})",
                ),
                Tone.WARNED,
            )
        titles = [Text("colonne", "column"), Text("sens", "meaning"), Text("type", "type"), Text("identifie quelqu'un", "identifies someone"), Text("obligatoire", "required")]  # fmt: skip
        out.table(
            titles,
            [
                (
                    c.name,
                    f"{getattr(c, out.lang)}{marks(c, out.lang)}",
                    c.kind.value,
                    said(PERSON, c.person.value),
                    c.required,
                )
                for c in found.columns
            ],
        )

    out.answer(value, told)


@contract.command("diff")
def diff(old: Compared, new: Compared, as_json: JsonFlag = False) -> None:
    """Say whether a change from one version or dialect to another is compatible, minor or breaking, and why."""
    from contracts.versions import Level, form
    from contracts.versions import diff as compare

    out = screen(as_json=as_json)
    found = compare(form(old), form(new))
    verdicts = {
        Level.COMPATIBLE: Text("compatible : rien à changer", "compatible: nothing to change"),
        Level.MINOR: Text("mineur : rien d'obligatoire pour qui lit", "minor: readers need not change"),
        Level.BREAKING: Text("rupture : nouvelle version, avec préavis", "breaking: a new version, with notice"),
    }

    def told() -> None:
        out.say(verdicts[found.level], Tone.WARNED if found.level is Level.BREAKING else Tone.DONE)
        titles = [Text("portée", "level"), Text("colonne", "column"), Text("changement", "change")]
        words = {Level.COMPATIBLE: "compatible", Level.MINOR: "mineur", Level.BREAKING: "rupture"}
        rows = [
            (words[one.level] if out.lang == "fr" else one.level.word, one.column or "–", getattr(one, out.lang))
            for one in found.changes
        ]
        if rows:
            out.table(titles, rows)

    out.answer(found.as_json(), told)


@contract.command("export")
def export(dataset: Dataset, as_json: JsonFlag = False) -> None:
    """Write a contract in the Open Data Contract Standard 3.1 (YAML, or JSON with --json)."""
    import yaml

    from contracts.odcs import odcs
    from contracts.registry import contract as find
    from passerelle.convention import load
    from passerelle.workspace import Settings, convention_files

    out = screen(as_json=as_json)
    found = find(dataset)
    files = convention_files(Settings.read(os.environ).home)
    value = odcs(found, [load(files[name]) for name in sorted(files)])
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)
    out.answer(value, lambda: out.put(text.encode()))


@contract.command("check")
def check(
    dataset: Dataset,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file in one of the dataset's dialects.")],
    dialect: Annotated[
        Path | None, typer.Option("--dialect", help="Try this dialect instead: a file of contract probe --out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a file against its contract: counts, rules, row numbers; no value of it is shown."""
    from contracts.registry import contract as find
    from passerelle.handover.check import check_file
    from passerelle.intake.declared import declared

    out = screen(as_json=as_json)
    found = find(dataset)
    tried = None if dialect is None else declared(content(dialect, "--dialect"), found)
    value = check_file(regular(file, "FILE"), found, today(), tried)
    out.answer(value, lambda: _show_check(out, value))
    if value["rejected"]:
        raise typer.Exit(1)


def _show_check(out: Screen, value: dict[str, Any]) -> None:
    clean = value["rejected"] == 0
    said = Text("Toutes les lignes respectent le contrat.", "Every row keeps the contract.")
    if not clean:
        said = Text("Des lignes enfreignent le contrat.", "Some rows break the contract.")
    out.say(said, Tone.DONE if clean else Tone.WARNED)
    labels = {
        "read": Text("lues", "read"),
        "accepted": Text("acceptées", "accepted"),
        "rejected": Text("rejetées", "rejected"),
    }
    facts: list[tuple[Text | str, object]] = [(Text("dialecte", "dialect"), value["dialect"])]
    out.facts(facts + [(label, number(value[name], out.lang)) for name, label in labels.items()])
    titles = [Text("règle", "rule"), Text("colonne", "column"), Text("lignes", "rows"), Text("premières", "first")]
    _show_notes(out, value["notes"])
    rows = [(r["rule"], r["column"], r["count"], ", ".join(map(str, r["first_rows"]))) for r in value["by_rule"]]
    if rows:
        out.table(titles, rows, right=frozenset({2}))
    for name, count in value["repairs"].items():
        out.say(
            Text(f"Réparation déclarée : {name}, {count} valeurs", f"Declared repair: {name}, {count} values"),
            Tone.FAINT,
        )


def _show_notes(out: Screen, notes: list[dict[str, Any]]) -> None:
    for note in notes:
        count = number(note["count"], out.lang)
        said = Text(f"Signalé sans rejet : {note['note']} ({note['column']}), {count} lignes", f"Noted, not rejected: {note['note']} ({note['column']}), {count} rows")  # fmt: skip
        out.say(said, Tone.FAINT)


@contract.command("sample")
def sample(
    dataset: Dataset,
    rows: Annotated[int, typer.Option(help="How many rows.")] = 100,
    bad_rate: Annotated[float, typer.Option("--bad-rate", help="Share of rows that break a rule, 0 to 1.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.")] = 0,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write there instead of printing.")] = None,
) -> None:
    """Make rows of people who do not exist, in the gateway's own dialect."""
    from contracts.samples import sample as make

    chunks = make(dataset, rows, bad_rate, seed)
    if out_file is not None:
        stream(out_file, chunks, "--out")
        return
    out = screen()
    for chunk in chunks:
        out.put(chunk)
