"""The page of a verdict: one HTML file in French and English that loads nothing, runs no script and shows aggregates only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from checks.codes import listed_share
from checks.plot import bars
from checks.suite import ISO_DATE, earlier, nearest
from checks.wording import number_en, number_fr, percent_en, percent_fr, plural_en, plural_fr, rows_en, rows_fr, spaced
from checks.words import WORDS
from passerelle.contract import Kind
from passerelle.profile import ColumnProfile, Count, Finding, Profile, Verdict

if TYPE_CHECKING:
    from jinja2 import Template

CODES_SHOWN = 3
NONE = "–"


def page(verdict: Verdict, profile: Profile, history: Sequence[Profile], subject: str = "") -> str:
    """The page of ``verdict`` on ``profile``, as one HTML document; ``subject`` names the exchange, if given."""
    before = nearest(profile, earlier(profile, history))
    views = [_View(lang, profile).render(verdict, before) for lang in ("fr", "en")]
    return _template().render(verdict=verdict, profile=profile, subject=subject, views=views)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(files("checks").joinpath("page.html.jinja").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class _View:
    """The page's content in one language."""

    lang: str
    profile: Profile

    def render(self, verdict: Verdict, history: Sequence[Profile]) -> dict[str, Any]:
        words, profile = WORDS[self.lang], self.profile
        rows = [self._finding(finding) for finding in verdict.findings]
        folded = [row for row in rows if row["fold"]]
        return {
            "lang": self.lang,
            "words": words,
            "summary": self._summary(verdict),
            "totals": [
                (words["read"], self._number(profile.read)),
                (words["accepted"], self._number(profile.accepted)),
                (words["rejected"], self._number(profile.rejected)),
                (words["rejected_share"], self._percent(profile.rejected_share)),
            ],
            "shown": sorted((row for row in rows if not row["fold"]), key=lambda row: row["rank"]),
            "folded": folded,
            "folded_title": self._plural(len(folded), "colonne obligatoire", "required column") + words["filled"],
            "rules": [(rule.rule, rule.column, self._rows(rule.rows)) for rule in profile.rules],
            "plots": [
                (words["volume"], bars(profile, history, words["volume"], lambda one: one.read, self._number)),
                (
                    words["rejected_by_period"],
                    bars(profile, history, words["rejected_by_period"], lambda one: one.rejected_share, self._percent),
                ),
            ],
            "lists": [row for column in profile.columns for row in self._lists(column)],
            "columns": [self._column(column) for column in profile.columns],
        }

    def _summary(self, verdict: Verdict) -> str:
        failed = sum(not f.passed and f.level == "error" for f in verdict.findings)
        warned = sum(not f.passed and f.level == "warning" for f in verdict.findings)
        parts = [self._plural(len(verdict.findings), "contrôle", "check")]
        parts.append(self._plural(failed, "manquement", "failure"))
        parts.append(self._plural(warned, "avertissement", "warning"))
        return ", ".join(parts) + "."

    def _finding(self, finding: Finding) -> dict[str, Any]:
        words = WORDS[self.lang]
        tone = "good" if finding.passed else "bad" if finding.level == "error" else "warn"
        return {
            "tone": tone,
            "rank": ("bad", "warn", "good").index(tone),
            "state": words[f"state_{tone}"],
            "sentence": spaced(finding.fr) if self.lang == "fr" else finding.en,
            "fold": finding.passed and finding.id.startswith("required:"),
        }

    def _column(self, column: ColumnProfile) -> dict[str, str]:
        words = WORDS[self.lang]
        ends = [self._end(column.kind, end) for end in (column.lowest, column.highest) if end is not None]
        top = [f"{code} ({self._percent(self.profile.share(rows))})" for code, rows in (column.top or ())[:CODES_SHOWN]]
        codes = [] if column.distinct is None else [self._plural(column.distinct, "code", "code")]
        return {
            "name": column.name,
            "kind": words[f"kind_{column.kind.value}"],
            "empty": self._share(column.nulls),
            "secret": NONE if column.kind is not Kind.COUNT or column.secret is None else self._share(column.secret),
            "range": words["to"].join(dict.fromkeys(ends)) or NONE,
            "codes": ", ".join(codes + top) or NONE,
        }

    def _lists(self, column: ColumnProfile) -> list[dict[str, str]]:
        """One row for each edition on file of the column's code list; one with nothing found, where there is none."""
        listing = column.listing
        if listing is None:
            return []
        about = {"name": column.name, "list": listing.name, "declared": listing.version}
        if not listing.coverage:
            return [about | {"edition": NONE, "codes": NONE, "share": NONE}]
        return [
            about
            | {
                "edition": one.edition,
                "codes": f"{self._number(one.codes)} / {self._number(one.codes + sum(rest.codes for rest in one.rest))}",
                "share": self._percent(listed_share(one)) if isinstance(one.rows, int) else self._rows(one.rows),
            }
            for one in listing.coverage
        ]

    def _end(self, kind: Kind, text: str) -> str:
        if kind is Kind.INTEGER and len(text) <= len("2026"):
            return text  # a year, or a number that needs no separator
        if kind is not Kind.DATE:
            return self._number(float(text))
        if len(text) == ISO_DATE and self.lang == "fr":
            return f"{date.fromisoformat(text):%d/%m/%Y}"
        return text

    def _share(self, count: Count) -> str:
        return self._percent(self.profile.share(count)) if isinstance(count, int) else self._rows(count)

    def _number(self, value: float) -> str:
        return number_fr(value) if self.lang == "fr" else number_en(value)

    def _percent(self, share: float) -> str:
        return percent_fr(share) if self.lang == "fr" else percent_en(share)

    def _rows(self, count: Count) -> str:
        return rows_fr(count) if self.lang == "fr" else rows_en(count)

    def _plural(self, count: int, fr: str, en: str) -> str:
        return plural_fr(count, fr) if self.lang == "fr" else plural_en(count, en)
