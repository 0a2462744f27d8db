"""What must hold of a whole file: the rules that turn a profile and its history into checks.

A rule measures aggregates and says what it expects; it decides nothing. ``checks.judge`` runs the checks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Literal

from checks.wording import (
    agreed_fr,
    number_en,
    number_fr,
    percent_en,
    percent_fr,
    plural_en,
    plural_fr,
    rows_en,
    rows_fr,
)
from passerelle.contract import Kind
from passerelle.errors import OurWayError
from passerelle.profile import NEAREST, NEARLY_ALL, SMALL, ColumnProfile, Count, Profile

ISO_DATE = 10  # characters: a full date, when a range of years has 4
REPEATED = "unique"  # the rule of rows that repeat a key


@dataclass(frozen=True, slots=True)
class Limits:
    """What the checks tolerate. Shares are 0 to 1; ``volume`` bounds the ratio to the median of earlier files.

    ``null_drift`` is how much the share of empty cells of a column may move, ``duplicates`` the share of rows that repeat a
    key, ``coverage`` the least share of codes in the declared edition of their list. With fewer than ``history`` earlier
    periods a comparison only warns.
    """

    rejected_share: float
    volume: tuple[float, float] = (0.5, 2.0)
    code_drift: float = 0.25
    secrecy_drift: float = 0.15
    null_drift: float = 0.25
    duplicates: float = 0.05
    coverage: float = 0.8
    history: int = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One measure and the bounds it must keep, with the sentence for either outcome; the measure MUST be finite."""

    id: str
    measure: float
    least: float | None
    most: float | None
    held: tuple[str, str]
    broken: tuple[str, str]
    level: Literal["error", "warning"] = "error"

    def __post_init__(self) -> None:
        # Great Expectations ignores a missing value: a check on one would hold whatever it says.
        if not math.isfinite(self.measure):
            raise OurWayError("expected a finite measure", where=f"check {self.id}")
        if self.least is None and self.most is None:
            raise OurWayError("expected at least one bound", where=f"check {self.id}")


Rule = Callable[[Profile, Sequence[Profile], Limits], Iterator[Check]]


def earlier(profile: Profile, history: Sequence[Profile]) -> list[Profile]:
    """The last profile of each period but ``profile``'s own, sorted by period."""
    latest = {p.period: p for p in history if p.period != profile.period}
    return [latest[period] for period in sorted(latest)]


def nearest(profile: Profile, others: Sequence[Profile]) -> list[Profile]:
    """Of ``others``, sorted by period, the ``NEAREST`` before ``profile``'s; where there are fewer, those after it too."""
    before = [other for other in others if other.period < profile.period][-NEAREST:]
    after = [other for other in others if other.period > profile.period]
    return before + after[: NEAREST - len(before)]


def _level(history: Sequence[object], limits: Limits) -> Literal["error", "warning"]:
    return "error" if len(history) >= limits.history else "warning"


def not_empty(profile: Profile, _: Sequence[Profile], __: Limits) -> Iterator[Check]:
    """At least one row is accepted."""
    rows = profile.accepted
    held = (f"{rows_fr(rows)} {agreed_fr(rows, 'acceptée')}.", f"{rows_en(rows)} accepted.")
    broken = ("Aucune ligne n'est acceptée.", "No row is accepted.")
    yield Check("not-empty", profile.accepted, 1, None, held, broken)


def rejected(profile: Profile, _: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """The share of rejected rows keeps the exchange's limit."""
    share, limit = profile.rejected_share, limits.rejected_share
    sentences = (
        f"{percent_fr(share)} des lignes sont rejetées ; la limite de l'échange est de {percent_fr(limit)}.",
        f"{percent_en(share)} of the rows are rejected; the exchange's limit is {percent_en(limit)}.",
    )
    yield Check("rejected-share", share, None, limit, sentences, sentences)


def required(profile: Profile, _: Sequence[Profile], __: Limits) -> Iterator[Check]:
    """Every required column is filled in every accepted row."""
    for column in profile.columns:
        if not column.required:
            continue
        held = (
            f"La colonne obligatoire « {column.name} » est toujours remplie.",
            f"The required column “{column.name}” is always filled.",
        )
        broken = (
            f"La colonne obligatoire « {column.name} » est vide : {rows_fr(column.nulls)}.",
            f"The required column “{column.name}” is empty: {rows_en(column.nulls)}.",
        )
        if column.nulls == NEARLY_ALL and profile.accepted < SMALL:
            continue  # so few rows that none is masked as well as all: the contract has judged each of them
        nulls = column.nulls if isinstance(column.nulls, int) else 1  # a masked count is at least one
        yield Check(f"required:{column.name}", nulls, None, 0, held, broken)


def completeness(profile: Profile, history: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """The optional column whose share of empty cells moves most keeps about the share that it had."""
    past_of = {c.name: _column(history, c.name) for c in profile.columns if not c.required}
    moves = [
        (profile.share(column.nulls), median(p.share(c.nulls) for p, c in past_of[column.name]), column.name)
        for column in profile.columns
        if past_of.get(column.name)
    ]
    if not moves:
        return
    is_, was, name = max(moves, key=lambda move: abs(move[0] - move[1]))
    sentences = (
        (
            f"« {name} » : c'est la colonne facultative dont le remplissage change le plus ; la part de cellules vides passe de "
            f"{percent_fr(was)} à {percent_fr(is_)} (écart toléré : {number_fr(limits.null_drift * 100)} points)."
        ),
        (
            f"“{name}” is the optional column that changes most in how it is filled: its share of empty cells goes from "
            f"{percent_en(was)} to {percent_en(is_)} ({number_en(limits.null_drift * 100)} points are tolerated)."
        ),
    )
    yield Check(
        "completeness", abs(is_ - was), None, limits.null_drift, sentences, sentences, _level(past_of[name], limits)
    )


def duplicates(profile: Profile, _: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """Few rows repeat the key of an earlier row (they are rejected one by one; many of them are a fault of the export)."""
    for one in profile.rules:
        if one.rule != REPEATED:
            continue
        share = one.rows / profile.read if isinstance(one.rows, int) else float(one.rows == NEARLY_ALL)
        sentences = (
            (
                f"{rows_fr(one.rows).capitalize()} : clé « {one.column} » déjà vue plus haut dans le fichier ; au-delà de "
                f"{percent_fr(limits.duplicates)}, l'export est à revoir."
            ),
            (
                f"{rows_en(one.rows).capitalize()}: key “{one.column}” already seen above in the file; beyond "
                f"{percent_en(limits.duplicates)} the export needs a look."
            ),
        )
        check = f"duplicates:{one.column}"
        yield Check(check, share, None, limits.duplicates, sentences, sentences, "warning")


def volume(profile: Profile, history: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """The file is about as large as earlier ones."""
    known = len(history)
    missing = (
        (
            f"{plural_fr(known, 'période antérieure')} en mémoire ; il en faut {limits.history} "
            "pour une comparaison probante."
        ),
        f"{plural_en(known, 'earlier period')} on record; a comparison needs {limits.history} to be conclusive.",
    )
    yield Check("history", known, limits.history, None, missing, missing, "warning")
    usual = median(p.read for p in history) if history else 0
    if not usual:
        return
    ratio, (least, most) = profile.read / usual, limits.volume
    sentences = (
        (
            f"{rows_fr(profile.read)} {agreed_fr(profile.read, 'lue')}, soit {number_fr(ratio)} fois la médiane des périodes antérieures "
            f"({number_fr(usual)}) ; l'intervalle attendu va de {number_fr(least)} à {number_fr(most)}."
        ),
        (
            f"{rows_en(profile.read)} read, {number_en(ratio)} times the median of earlier periods ({number_en(usual)}); "
            f"{number_en(least)} to {number_en(most)} is expected."
        ),
    )
    yield Check("volume", ratio, least, most, sentences, sentences, _level(history, limits))


# An older version of the contract may lack the column.
def _column(history: Sequence[Profile], name: str) -> list[tuple[Profile, ColumnProfile]]:
    return [(p, c) for p in history for c in p.columns if c.name == name]


def _same_edition(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Codes of two editions cannot be compared: FAP 2009 and FAP 2021 have 7 codes in common."""
    return one.listing is None or other.listing is None or one.listing.version == other.listing.version


def code_shares(profile: Profile, history: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """No code of a classification gains or loses a large share of the rows."""
    for column in profile.columns:
        past = [
            {code: p.share(n) for code, n in c.top}
            for p, c in _column(history, column.name)
            if c.top and _same_edition(c, column)
        ]
        if not column.top or not past:
            continue
        now = {code: profile.share(n) for code, n in column.top}
        usual = {code: median(one.get(code, 0.0) for one in past) for code in now.keys() | set().union(*past)}
        code = max(sorted(usual), key=lambda c: abs(now.get(c, 0.0) - usual[c]))
        was, is_ = usual[code], now.get(code, 0.0)
        sentences = (
            (
                f"« {column.name} » : le plus grand écart de part est celui du code {code}, de {percent_fr(was)} à {percent_fr(is_)} "
                f"(écart toléré : {number_fr(limits.code_drift * 100)} points)."
            ),
            (
                f"“{column.name}”: the share that moves most is that of code {code}, from {percent_en(was)} to {percent_en(is_)} "
                f"({number_en(limits.code_drift * 100)} points are tolerated)."
            ),
        )
        level = _level(past, limits)
        yield Check(f"code-shares:{column.name}", abs(is_ - was), None, limits.code_drift, sentences, sentences, level)


def _secret_share(profile: Profile, secret: Count | None) -> float:
    return 0.0 if secret is None else profile.share(secret)


def secrecy(profile: Profile, history: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """The share of cells under statistical secrecy stays about the same."""
    for column in profile.columns:
        past = _column(history, column.name)
        if column.kind is not Kind.COUNT or not past:
            continue
        is_ = _secret_share(profile, column.secret)
        was = median(_secret_share(p, c.secret) for p, c in past)
        sentences = (
            (
                f"« {column.name} » : la part des cellules sous secret statistique passe de {percent_fr(was)} à "
                f"{percent_fr(is_)} (écart toléré : {number_fr(limits.secrecy_drift * 100)} points)."
            ),
            (
                f"“{column.name}”: the share of cells under statistical secrecy goes from {percent_en(was)} to "
                f"{percent_en(is_)} ({number_en(limits.secrecy_drift * 100)} points are tolerated)."
            ),
        )
        level = _level(past, limits)
        yield Check(f"secrecy:{column.name}", abs(is_ - was), None, limits.secrecy_drift, sentences, sentences, level)


def _newest(profile: Profile) -> date | None:
    dates = [c.highest for c in profile.columns if c.kind is Kind.DATE and c.highest and len(c.highest) == ISO_DATE]
    return max((date.fromisoformat(d) for d in dates), default=None)


def _content(profile: Profile) -> tuple[object, ...]:
    """What the file itself makes of its profile: the editions on file are the gateway's."""
    return profile.read, profile.rules, tuple(replace(column, listing=None) for column in profile.columns)


def not_sent_before(profile: Profile, history: Sequence[Profile], _: Limits) -> Iterator[Check]:
    """The file is not an earlier one sent again under a new period."""
    if not history:
        return
    same = [p.period for p in history if _content(p) == _content(profile)]
    held = ("Le fichier diffère de ceux des périodes antérieures.", "The file differs from those of earlier periods.")
    broken = (
        f"Rien de ce qui est mesuré ne distingue ce fichier de celui de la période {', '.join(same)} : est-ce un ancien fichier renvoyé ?",
        f"Nothing that is measured tells this file from that of period {', '.join(same)}: is it an old file sent again?",
    )
    yield Check("not-sent-before", len(same), None, 0, held, broken, "warning")


def freshness(profile: Profile, history: Sequence[Profile], _: Limits) -> Iterator[Check]:
    """The newest date of the file does not go back."""
    if not history:
        return
    last = max(history, key=lambda p: p.period)
    newest, before = _newest(profile), _newest(last)
    if newest is None or before is None or profile.period <= last.period:
        return
    sentences = (
        f"La date la plus récente est le {newest:%d/%m/%Y} ; elle était le {before:%d/%m/%Y} pour {last.period}.",
        f"The newest date is {newest}; it was {before} for {last.period}.",
    )
    yield Check("freshness", (newest - before).days, 0, None, sentences, sentences, "warning")


RULES: tuple[Rule, ...] = (
    not_empty, rejected, required, duplicates, volume, freshness, completeness, code_shares, secrecy,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suite:
    """The rules that judge a dataset's profiles, and what they tolerate.

    ``rules`` see the periods nearest to the profile's own, ``ever`` all that are given.

    Raises:
        OurWayError: no rule is given; a suite without rules would accept everything.
    """

    limits: Limits
    rules: tuple[Rule, ...] = RULES
    ever: tuple[Rule, ...] = (not_sent_before,)

    def __post_init__(self) -> None:
        if not self.rules:
            raise OurWayError("expected at least one rule in the suite", where="checks")

    def checks(self, profile: Profile, history: Sequence[Profile]) -> tuple[Check, ...]:
        """The checks of ``profile`` against ``history``, in the order in which profiles were made."""
        others = earlier(profile, history)
        near = nearest(profile, others)
        judged = [*((rule, near) for rule in self.rules), *((rule, others) for rule in self.ever)]
        return tuple(check for rule, seen in judged for check in rule(profile, seen, self.limits))
