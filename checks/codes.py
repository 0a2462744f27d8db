"""What must hold of the codes of public lists: how many are in the declared edition, why the rest is not, and whether the
edition is the one of the period before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from checks.suite import Check, Limits, Rule
from checks.wording import number_en, number_fr, percent_en, percent_fr, plural_en, plural_fr, rows_en, rows_fr
from passerelle.profile import NEARLY_ALL, SMALL, ColumnProfile, Count, Coverage, Listing, Profile, Rest

# What a cause is called, in French and English; {edition} is the edition that the codes are of, or the declared one.
_CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "replaced": ("que l'édition {edition} a remplacé", "replaced by edition {edition}"),
    "edition": ("de l'édition {edition}, {change}", "of edition {edition}, {change}"),
    "lost_zero": ("sans zéro de tête, à déclarer en réparation", "without leading zero, to be declared as a repair"),
    "spelling": ("d'une autre casse ou avec des espaces", "in other letters or with spaces"),
    "not_on_file": (
        "d'aucune édition au dossier : {change} possible, l'édition {edition} n'y est pas",
        "of no edition on file: possibly {change}, edition {edition} is not there",
    ),
    "unknown": ("de cause inconnue : d'aucune édition au dossier", "of unknown cause: of no edition on file"),
}
_CHANGES: Final[Mapping[str, tuple[str, str]]] = {
    "territory": ("changement de zonage", "a change of zoning"),
    "occupation": ("changement de nomenclature", "a change of nomenclature"),
    "other": ("changement de la liste", "a change of the list"),
}


def coverage(profile: Profile, _: Sequence[Profile], limits: Limits) -> Iterator[Check]:
    """Every code is in the declared edition of its list, or, where that is not on file, in the nearest edition that is."""
    for column in profile.columns:
        listing = column.listing
        if listing is None or not listing.coverage:
            continue
        declared = listing.coverage[0].edition == listing.version
        one = listing.coverage[0] if declared else max(listing.coverage, key=lambda other: other.codes)
        sentences = _covered(column.name, listing, one, declared=declared)
        left = sum(rest.codes for rest in one.rest)
        few = declared and listed_share(one) < limits.coverage
        yield Check(f"codes:{column.name}", left, None, 0, sentences, sentences, "error" if few else "warning")


def listed_share(one: Coverage) -> float:
    """The share of rows whose code the edition lists, of those that have one; a masked count is taken for a small one."""
    if not one.rest:
        return 1.0
    rest = sum(_about(other.rows) for other in one.rest)
    listed = _about(one.rows)
    return 1.0 if one.rows == NEARLY_ALL else listed / (listed + rest) if listed else 0.0


def _about(rows: Count | None) -> int:
    return rows if isinstance(rows, int) else SMALL // 2 if rows is not None else SMALL


def _covered(name: str, listing: Listing, one: Coverage, *, declared: bool) -> tuple[str, str]:
    codes = one.codes + sum(rest.codes for rest in one.rest)
    share = listed_share(one)
    said_fr = "presque toutes les" if one.rows == NEARLY_ALL else f"{percent_fr(share)} des"
    said_en = "almost all" if one.rows == NEARLY_ALL else percent_en(share)
    fr = f"« {name} » : {said_fr} lignes, {plural_fr(one.codes, 'code')} sur {number_fr(codes)}, sont dans « {listing.name} », édition {one.edition}"
    en = f"“{name}”: {said_en} of rows, {number_en(one.codes)} of {number_en(codes)} codes, are in “{listing.name}”, edition {one.edition}"
    if not declared:
        fr += f" (l'édition déclarée, {listing.version}, n'est pas au dossier)"
        en += f" (the declared edition, {listing.version}, is not on file)"
    if one.rest:
        fr += ". Le reste : " + " ; ".join(_rest(rest, listing, fr=True) for rest in one.rest)
        en += ". The rest: " + "; ".join(_rest(rest, listing, fr=False) for rest in one.rest)
    return fr + ".", en + "."


def _rest(rest: Rest, listing: Listing, *, fr: bool) -> str:
    language = 0 if fr else 1
    why = _CAUSES[rest.cause][language].format(edition=rest.edition, change=_CHANGES[listing.about][language])
    count = plural_fr(rest.codes, "code") if fr else plural_en(rest.codes, "code")
    return f"{count} {why} ({_named(rest, fr=fr)})"


def _named(rest: Rest, *, fr: bool) -> str:
    if rest.rows is None:
        rows = "11 lignes ou plus" if fr else "11 rows or more"
    else:
        rows = rows_fr(rest.rows) if fr else rows_en(rest.rows)
    more = "…" if 0 < len(rest.named) < rest.codes else ""
    return f"{', '.join(rest.named)}{more}{' : ' if fr else ': '}{rows}" if rest.named else rows


def editions(profile: Profile, history: Sequence[Profile], _: Limits) -> Iterator[Check]:
    """The declared edition of each code list is that of the period before: codes of two editions do not compare."""
    before = {c.name: (p.period, c) for p in history for c in p.columns if c.listing is not None}
    lists = [column for column in profile.columns if column.listing is not None and column.name in before]
    changed = [column for column in lists if _version(before[column.name][1]) != _version(column)]
    for column in changed:
        period, earlier = before[column.name]
        if column.listing is None or earlier.listing is None:
            continue
        sentences = _changed(column.name, column.listing, earlier.listing, period)
        yield Check(f"edition:{column.name}", 1, None, 0, sentences, sentences, "warning")
    if lists and not changed:
        held = (
            "Les listes de codes sont de la même édition qu'à la période précédente.",
            "The code lists are of the same edition as in the period before.",
        )
        yield Check("editions", 0, None, 0, held, held, "warning")


def _version(column: ColumnProfile) -> tuple[str, str] | None:
    return None if column.listing is None else (column.listing.name, column.listing.version)


def _changed(name: str, now: Listing, was: Listing, period: str) -> tuple[str, str]:
    change_fr, change_en = _CHANGES[now.about]
    fr = (
        f"« {name} » : {change_fr}, « {was.name} » passe de l'édition {was.version} (période {period}) à l'édition {now.version}. "
        "Les parts par code ne se comparent pas d'une édition à l'autre"
    )
    en = (
        f"“{name}”: {change_en}, “{was.name}” goes from edition {was.version} (period {period}) to edition {now.version}. "
        "Shares by code do not compare from one edition to the other"
    )
    for one in now.coverage:
        if one.edition == was.version and now.name == was.name:
            codes = one.codes + sum(rest.codes for rest in one.rest)
            fr += f" : {number_fr(one.codes)} des {number_fr(codes)} codes du fichier sont aussi dans l'édition {was.version}"
            en += f": {number_en(one.codes)} of the {number_en(codes)} codes of the file are in edition {was.version} as well"
    return fr + ".", en + "."


CODE_RULES: Final[tuple[Rule, ...]] = (coverage, editions)
