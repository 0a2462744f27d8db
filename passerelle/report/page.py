"""The report as one HTML file, French first, English by a switch without script; it loads nothing."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from passerelle.report.model import CodeList, Report
from passerelle.report.words import PAGE, written_format

if TYPE_CHECKING:
    from jinja2 import Template

Language = Literal["fr", "en"]
PARIS = ZoneInfo("Europe/Paris")
MONTHS: dict[Language, tuple[str, ...]] = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
}  # fmt: skip


def page(report: Report) -> bytes:
    """The page of ``report``; every text is escaped."""
    return _template().render(report=report, views=[_view(report, "fr"), _view(report, "en")]).encode()


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(files("passerelle.report").joinpath("page.html.jinja").read_text("utf-8"))


def _view(report: Report, lang: Language) -> dict[str, Any]:
    words = PAGE[lang]
    outcome, note = report.outcome, report.verdicts
    return {
        "lang": lang,
        "t": words,
        "title": getattr(report.title, lang),
        "message": getattr(outcome.message, lang) if outcome.message else words["delivered_says"],
        "hint": getattr(outcome.hint, lang) if outcome.hint else None,
        "totals": _totals(report, lang),
        "facts": _facts(report, lang),
        "rules": [
            {
                "id": rule.rule,
                "column": rule.column,
                "label": getattr(rule.label, lang),
                "count": _number(rule.count, lang),
                "first": ", ".join(_number(row, lang) for row in rule.first_rows),
                "expected": getattr(rule.expected, lang),
            }
            for rule in report.rules
        ],
        "checks": [(words[check.level], getattr(check, lang)) for check in report.checks],
        "repairs": [
            (getattr(one.says, lang), one.column or words["whole"], _number(one.count, lang)) for one in report.repairs
        ],
        "dialect": _dialect(report, lang),
        "codes": [(one.name, one.version, _validity(one, lang), ", ".join(one.columns)) for one in report.code_lists],
        "verdicts": words["sealed"].format(parcel=note.parcel) if note.parcel else getattr(note.hint, lang),
    }


def _totals(report: Report, lang: Language) -> list[tuple[str, str]]:
    if report.counts is None:
        return []
    words = PAGE[lang]
    rows = [(words[name], _number(getattr(report.counts, name), lang)) for name in ("read", "accepted", "rejected")]
    share = f"{100 * report.tolerated_share:g}"
    written = share.replace(".", ",") + "\u202f%" if lang == "fr" else f"{share}%"
    return [*rows, (words["tolerated"], written)]


def _facts(report: Report, lang: Language) -> list[tuple[str, str]]:
    words = PAGE[lang]
    contract = f"{getattr(report.contract.title, lang)} ({report.contract.id} {report.contract.version})"
    known = {name: getattr(report, name) for name in ("convention", "exchange", "article", "period", "sender", "run")}
    facts = [(words[name], value) for name, value in known.items() if value is not None]
    written = datetime.fromisoformat(report.written_at).astimezone(PARIS).date()
    return [*facts, (words["contract"], contract), (words["written"], _date(written, lang))]


def _dialect(report: Report, lang: Language) -> list[tuple[str, str]]:
    one, words = report.dialect, PAGE[lang]
    if one is None:
        return []
    dates = ", ".join(written_format(pattern, lang) for pattern in one.date_formats)
    names = ("name", "format", "encoding", "separator", "decimal", "dates")
    return list(
        zip(
            (words[name] for name in names),
            (one.id, one.format, one.encoding, one.separator, one.decimal, dates),
            strict=True,
        )
    )


def _validity(one: CodeList, lang: Language) -> str:
    words = PAGE[lang]
    ends = [(words["from"], one.valid_from), (words["to"], one.valid_to)]
    return " ".join(f"{word} {_date(date.fromisoformat(day), lang)}" for word, day in ends if day) or "–"


def _date(day: date, lang: Language) -> str:
    number = "1er" if lang == "fr" and day.day == 1 else str(day.day)
    return f"{number} {MONTHS[lang][day.month - 1]} {day.year}"


def _number(value: int, lang: Language) -> str:
    return f"{value:,}".replace(",", "\u202f" if lang == "fr" else ",")
