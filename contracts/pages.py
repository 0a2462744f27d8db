"""The contracts as people and machines read them: a page in French and English, and a JSON Schema of one row.

``python -m contracts.pages docs/contracts`` writes them; a test fails when what is written is not what the contracts say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from contracts.base import DataContract
from contracts.dialect_pages import Language, settings
from contracts.identifiers import SCHEMES
from contracts.registry import contracts
from contracts.rules import KIND_RULES, Between, Happened, Identifier, Length, OneOf, Pattern, Relation, Rule, whole
from passerelle.contract import CodeList, Column, Dialect, Kind, PersonClass


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says, in one language."""

    version: str
    until: str
    columns: str
    column_head: tuple[str, ...]
    general: str
    rule_head: tuple[str, ...]
    formats: str
    format_head: tuple[str, ...]
    headers: str
    header_head: tuple[str, ...]
    yes: str
    no: str
    nothing: str
    dropped: str
    every_row: str
    name: str
    kinds: Mapping[Kind, str]
    persons: Mapping[PersonClass, str]
    sheet: str
    settings: str
    setting_head: tuple[str, ...]
    many: str
    edition: str
    free_text: str
    part: str
    notes: str
    meanings: str


FRENCH = Words(
    version="Version",
    until=", remplacée, servie jusqu'au {day} (règle de la passerelle : aucun texte ne fixe ce préavis)",
    columns="Colonnes",
    column_head=("Colonne", "Sens", "Type", "Obligatoire", "Donnée personnelle", "Règles"),
    general="Règles générales et clés",
    rule_head=("Règle", "Colonne", "Exigence"),
    formats="Formats acceptés",
    format_head=("Format", "Émetteur", "Fichier"),
    headers="En-têtes du format",
    header_head=("En-tête", "Colonne"),
    yes="oui",
    no="non",
    nothing="–",
    dropped="lu puis écarté",
    name="Français",
    every_row="Toute ligne qui enfreint une règle est rejetée et comptée sous cette règle.",
    kinds={
        Kind.TEXT: "texte", Kind.CODE: "code", Kind.INTEGER: "entier", Kind.DECIMAL: "nombre", Kind.DATE: "date",
        Kind.BOOLEAN: "oui ou non", Kind.COUNT: "effectif, ou * (secret)",
    },
    persons={
        PersonClass.NONE: "aucune", PersonClass.INDIRECT: "indirecte", PersonClass.DIRECT: "directe",
        PersonClass.SPECIAL: "catégorie particulière",
    },
    sheet="classeur, feuille",
    settings="Réglages du format",
    setting_head=("Réglage", "Valeur", "Sens"),
    many="liste",
    edition="liste de codes : {name}, version {version}",
    free_text="texte libre : des personnes peuvent y être citées",
    part="partie de la clé nom et date de naissance",
    notes="Ce que le rapport signale, sans rejet",
    meanings="Autre sens dans le format",
)  # fmt: skip

ENGLISH = Words(
    version="Version",
    until=", replaced, served until {day} (hub policy: no text sets this notice)",
    columns="Columns",
    column_head=("Column", "Meaning", "Type", "Required", "Personal data", "Rules"),
    general="General rules and keys",
    rule_head=("Rule", "Column", "What it demands"),
    formats="Formats accepted",
    format_head=("Format", "Sender", "File"),
    headers="Headers of format",
    header_head=("Header", "Column"),
    yes="yes",
    no="no",
    nothing="–",
    dropped="read and dropped",
    name="English",
    every_row="A row that breaks a rule is rejected and counted under that rule.",
    kinds={
        Kind.TEXT: "text", Kind.CODE: "code", Kind.INTEGER: "integer", Kind.DECIMAL: "number", Kind.DATE: "date",
        Kind.BOOLEAN: "yes or no", Kind.COUNT: "count, or * (secret)",
    },
    persons={
        PersonClass.NONE: "none", PersonClass.INDIRECT: "indirect", PersonClass.DIRECT: "direct",
        PersonClass.SPECIAL: "special category",
    },
    sheet="workbook, sheet",
    settings="Settings of format",
    setting_head=("Setting", "Value", "Meaning"),
    many="list",
    edition="code list: {name}, version {version}",
    free_text="free text: persons may be spoken of in it",
    part="part of the key name and date of birth",
    notes="What the report notes, without rejecting",
    meanings="Another meaning in format",
)  # fmt: skip

WORDS: Mapping[Language, Words] = {"fr": FRENCH, "en": ENGLISH}


def _says(rule: Rule, language: Language) -> str:
    return rule.fr if language == "fr" else rule.en


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    yield line(head)
    yield line(tuple("---" for _ in head))
    yield from (line(row) for row in rows)
    yield ""


def marks(column: Column, language: Language) -> str:
    """What a column is beside its meaning, to stand after it: free text, a part of the weak key of a person."""
    words = WORDS[language]
    said = [words.free_text] * column.free_text + [words.part] * (column.part is not None)
    return f" ({' ; '.join(said)})" if said else ""


def _column_row(contract: DataContract, column: Column, language: Language) -> tuple[str, ...]:
    words = WORDS[language]
    rules = [f"`{rule.id}` : {_says(rule, language)}" for rule in contract.rules if rule.column == column.name]
    if language == "en":
        rules = [rule.replace("` : ", "`: ", 1) for rule in rules]
    person = words.persons[column.person]
    if column.identifier:
        person += f" ({column.identifier})"
    meaning = column.fr if language == "fr" else column.en
    if column.codes:
        meaning += f" ({words.edition.format(name=column.codes.name, version=column.codes.version)})"
    meaning += marks(column, language)
    return (
        f"`{column.name}`",
        meaning,
        words.kinds[column.kind] + (f" ({words.many})" if column.many else ""),
        words.yes if column.required else words.no,
        person,
        "<br>".join(rules) or words.nothing,
    )


def _general_rows(contract: DataContract, language: Language) -> list[tuple[str, ...]]:
    position = 0 if language == "fr" else 1
    kinds = {column.kind.value for column in contract.columns}
    kinds |= {"text"} if Kind.CODE.value in kinds else set()
    kinds |= {"list"} if any(column.many for column in contract.columns) else set()
    rows: list[tuple[str, ...]] = [
        (f"`{rule}`", "–", says[position]) for rule, says in KIND_RULES.items() if rule in kinds | {"required"}
    ]
    keys = [" × ".join(f"`{name}`" for name in key) for key in contract.unique]
    return rows + [("`unique`", key, KIND_RULES["unique"][position]) for key in keys]


def _dialect_row(dialect: Dialect, language: Language) -> tuple[str, ...]:
    words = WORDS[language]
    if dialect.format in {"json", "jsonl", "xml"}:
        file = f"{dialect.format}, {dialect.encoding}"
    elif dialect.format == "xlsx":
        file = f"{words.sheet} `{dialect.sheet}`"
    else:
        file = f"csv, {dialect.encoding}, `{dialect.separator}`"
    return f"`{dialect.id}`", dialect.sender, file


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a page. Cells are inline Markdown: backquotes around code, ``<br>`` between rules."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    minor: bool = False  # belongs to the section before it, and has no heading of its own


def lead(contract: DataContract, language: Language) -> str:
    """What a contract is, in a few sentences: its version, until when, what it holds, what becomes of a row that breaks it."""
    words = WORDS[language]
    until = words.until.format(day=f"{contract.served_until:%d/%m/%Y}") if contract.served_until else ""
    return f"{words.version} {contract.version}{until}. {contract.description[language]} {words.every_row}"


def sections(contract: DataContract, language: Language) -> Iterator[Section]:
    """The tables of a page: columns with their rules, general rules, notes, then each format with its settings and headers."""
    words = WORDS[language]
    yield Section(
        words.columns, words.column_head, [_column_row(contract, column, language) for column in contract.columns]
    )
    yield Section(words.general, words.rule_head, _general_rows(contract, language))
    if contract.notes:
        notes = [
            (f"`{note.id}`", f"`{note.column}`", note.fr if language == "fr" else note.en) for note in contract.notes
        ]
        yield Section(words.notes, words.rule_head, notes)
    yield Section(words.formats, words.format_head, [_dialect_row(dialect, language) for dialect in contract.dialects])
    for dialect in contract.dialects:
        yield Section(
            f"{words.settings} `{dialect.id}`", words.setting_head, list(settings(dialect, language)), minor=True
        )
        if any(header != name for header, name in dialect.columns.items()):
            pairs = [(f"`{head}`", f"`{name}`" if name else words.dropped) for head, name in dialect.columns.items()]
            yield Section(f"{words.headers} `{dialect.id}`", words.header_head, pairs, minor=True)
    for dialect_id, meanings in contract.meanings.items():
        said = [(f"`{name}`", fr if language == "fr" else en) for name, (fr, en) in meanings.items()]
        head = (words.header_head[1], words.column_head[1])
        yield Section(f"{words.meanings} `{dialect_id}`", head, said, minor=True)


def _half(contract: DataContract, language: Language) -> Iterator[str]:
    for line in (f"## {WORDS[language].name}", f"**{contract.title[language]}**", lead(contract, language)):
        yield from (line, "")
    for section in sections(contract, language):
        yield from (section.title if section.minor else f"### {section.title}", "")
        yield from _table(section.head, section.rows)


def page(contract: DataContract) -> str:
    """The contract as a Markdown page, French then English."""
    lines = [f"# {contract.id}", "", "[Français](#français) · [English](#english)", ""]
    lines += [*_half(contract, "fr"), *_half(contract, "en")]
    return "\n".join(lines).rstrip("\n") + "\n"


_TYPES: Mapping[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.CODE: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.DECIMAL: {"type": "number"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.COUNT: {"type": "string", "pattern": "^(?:[0-9]{1,15}|\\*)$"},
}


def _constraint(rule: Rule, *, many: bool) -> dict[str, Any]:
    match rule:
        case Identifier(scheme=scheme):
            refused = SCHEMES[scheme].refused
            form = {"pattern": whole(SCHEMES[scheme].pattern, many=many)}
            return {**form, "not": {"enum": list(refused)}} if refused else form
        case Pattern(pattern=pattern):
            return {"pattern": whole(pattern, many=many)}
        case OneOf(values=values) if many:
            return {"pattern": whole("|".join(map(re.escape, values)), many=many)}
        case Length() if many:
            return {}
        case OneOf(values=values):
            return {"enum": list(values)}
        case Length(low=low, high=high):
            return {"minLength": low, "maxLength": high}
        case Between(low=date(), high=date()) | Happened() | Relation():
            return {}  # JSON Schema compares no dates and no columns; they are listed under x-rules
        case Between(low=low, high=high):
            return {"minimum": low, "maximum": high}


def edition(codes: CodeList) -> dict[str, str]:
    """A code list's edition: name, version, and the first and last day where its publisher states them."""
    days = {"validFrom": codes.valid_from, "validTo": codes.valid_to}
    return {"name": codes.name, "version": codes.version, **{k: f"{day}" for k, day in days.items() if day}}


def _property(contract: DataContract, column: Column) -> dict[str, Any]:
    says: dict[str, Any] = {"title": column.en, "description": column.fr, "x-person-class": column.person.value}
    if column.identifier:
        says["x-identifier"] = column.identifier
    if column.part:
        says["x-identity-part"] = column.part
    if column.free_text:
        says["x-free-text"] = True
    if column.codes:
        says["x-codes"] = edition(column.codes)
    value = dict(_TYPES[column.kind])
    for rule in contract.rules:
        if rule.column == column.name:
            value |= _constraint(rule, many=column.many)
    return {**says, **value} if column.required else {**says, "anyOf": [value, {"type": "null"}]}


def json_schema(contract: DataContract) -> dict[str, Any]:
    """One accepted row as JSON Schema (draft 2020-12): form only; keys and rules between columns are under ``x-rules``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:passerelle:contract:{contract.id}:{contract.version}",
        "title": contract.title["en"],
        "description": contract.description["en"],
        "type": "object",
        "additionalProperties": False,
        "required": [column.name for column in contract.columns],
        "properties": {column.name: _property(contract, column) for column in contract.columns},
        "x-unique": [list(key) for key in contract.unique],
        "x-rules": [{"id": rule.id, "column": rule.column, "fr": rule.fr, "en": rule.en} for rule in contract.rules],
    }


def files() -> dict[str, str]:
    """Every generated file of docs/contracts, by name."""
    made: dict[str, str] = {}
    for contract in contracts():
        name = (
            contract.reference if f"{contract.id}.md" in made else contract.id
        )  # the latest version bears the bare name
        made[f"{name}.md"] = page(contract)
        made[f"{name}.schema.json"] = json.dumps(json_schema(contract), ensure_ascii=False, indent=2) + "\n"
    return made


def main(folder: Path) -> None:
    """Write every generated file into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
