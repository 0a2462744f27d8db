"""Generated rows of each contract in the hub's format, as many as wanted, with a chosen share of bad ones.

A chunk depends on the seed and its number alone, so a sample of any length costs the memory of one chunk. Bad rows are spread
evenly and break the rules of ``BREAKS`` in turn, one rule each.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from contracts import fiction, samples_market, samples_offers, samples_training
from contracts.breaks import Break
from contracts.fiction import chosen, day, french_dates, written
from contracts.recipes import Recipes
from contracts.registry import contract
from passerelle.contract import Dialect
from passerelle.errors import UsageError

CHUNK_ROWS = 100_000
_PROVIDERS = 2_000
_BASINS = 400
_SECRET_BELOW = 5

_LINE_END = "\r\n"
_ROUNDING = 1e-9
_OUTCOME = {"entrants": "12", "leavers": "10", "employed_6_months": "6", "employment_rate": "60,0"}

Columns = dict[str, pl.Series]
Maker = Callable[[np.random.Generator, int, int, int], Columns]
"""Random source, first row (from 0), rows, seed of the sample: text columns by name."""


def _people(rng: np.random.Generator, start: int, count: int) -> Columns:
    first, last = rng.integers(0, len(fiction.FIRST), count), rng.integers(0, len(fiction.LAST), count)
    return {
        "last_name": chosen(fiction.LAST, last),
        "first_name": chosen(fiction.FIRST, first),
        "email": fiction.mails(first, last, np.arange(start, start + count)),
        "phone": fiction.phones(rng, count),
    }


def _training_entries(rng: np.random.Generator, start: int, count: int, seed: int) -> Columns:
    providers = fiction.sirets(np.random.default_rng(seed), _PROVIDERS)
    course = rng.integers(0, len(fiction.COURSES), count)
    entry = day(2024, 1, 2) + rng.integers(0, 700, count)
    return {
        "trainee_id": written(9_900_000_000 + np.arange(start, start + count)),
        "nir": fiction.nirs(rng, count),
        **_people(rng, start, count),
        "course_label": chosen(tuple(label for label, _, _ in fiction.COURSES), course),
        "session_id": "SE_" + written(rng.integers(100_000, 200_000, count), 10),
        "entry_date": french_dates(entry),
        "exit_date": french_dates(entry + rng.integers(5, 300, count)),
        "provider_siret": chosen(providers, rng.integers(0, len(providers), count)),
        "commune": chosen(fiction.COMMUNES, rng.integers(0, len(fiction.COMMUNES), count)),
        "formacode": chosen(tuple(code for _, code, _ in fiction.COURSES), course),
        "funders": chosen(fiction.FUNDERS, rng.integers(0, len(fiction.FUNDERS), count)),
    }


def _candidate_pool(rng: np.random.Generator, start: int, count: int, seed: int) -> Columns:  # noqa: ARG001  (a Maker)
    licences = ("", "B", "B", "B", "A", "C1")
    agreed = day(2024, 1, 8) + rng.integers(0, 360, count)
    return {
        "jobseeker_id": written(99_000_000_000 + np.arange(start, start + count)),
        **_people(rng, start, count),
        "birth_date": french_dates(day(1965, 1, 1) + rng.integers(0, 15_000, count)),
        "commune": chosen(fiction.COMMUNES, rng.integers(0, len(fiction.COMMUNES), count)),
        "rome": chosen(fiction.ROMES, rng.integers(0, len(fiction.ROMES), count)),
        "experience_years": written(rng.integers(0, 30, count)),
        "licence": chosen(licences, rng.integers(0, len(licences), count)),
        "mobility_km": written(rng.integers(1, 12, count) * 5),
        "available_on": french_dates(agreed + rng.integers(1, 90, count)),
        "consent": pl.Series(["oui"]).new_from_index(0, count),
        "consented_on": french_dates(agreed),
    }


def _training_outcomes(rng: np.random.Generator, start: int, count: int, seed: int) -> Columns:  # noqa: ARG001  (a Maker)
    row = np.arange(start, start + count)
    number = row // len(fiction.DEPARTMENTS)
    course = number % len(fiction.COURSES)
    entrants = rng.negative_binomial(2, 0.05, count) + 3
    leavers = rng.binomial(entrants, 0.9)
    employed = rng.binomial(leavers, 0.55)
    tenths = np.rint(1000 * employed / np.maximum(leavers, 1)).astype(np.int64)
    rate = written(tenths // 10) + "," + written(tenths % 10)
    return {
        "period": pl.Series(["2024"]).new_from_index(0, count),
        "course": "FO_" + written(number, 6),
        "course_label": chosen(tuple(label for label, _, _ in fiction.COURSES), course),
        "formacode": chosen(tuple(code for _, code, _ in fiction.COURSES), course),
        "certification": chosen(tuple(code for _, _, code in fiction.COURSES), course),
        "territory_level": pl.Series(["department"]).new_from_index(0, count),
        "territory": chosen(fiction.DEPARTMENTS, row % len(fiction.DEPARTMENTS)),
        "entrants": written(entrants),
        "leavers": written(leavers),
        "employed_6_months": written(employed),
        "employment_rate": rate.zip_with(pl.Series(leavers > 0), pl.Series([""])),
    }


def _counts(numbers: fiction.Ints, secret: np.ndarray) -> pl.Series:
    return written(numbers).zip_with(pl.Series(~secret), pl.Series(["*"]))


def _studies_bmo(rng: np.random.Generator, start: int, count: int, seed: int) -> Columns:  # noqa: ARG001  (a Maker)
    row = np.arange(start, start + count)
    basin, occupation = row % _BASINS, row // _BASINS
    met = rng.negative_binomial(1, 0.01, count) + 1
    hard, seasonal = rng.binomial(met, 0.5), rng.binomial(met, 0.2)
    secret = met < _SECRET_BELOW
    letters = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    family = occupation // 10 % 26
    return {
        "year": pl.Series(["2023"]).new_from_index(0, count),
        "occupation": chosen(letters, family)
        + written(occupation % 10)
        + chosen(letters, 25 - occupation // 26_000 % 26)
        + written(occupation // 260 % 100, 2),
        "occupation_label": "Métier " + written(occupation),
        "family": chosen(letters, family),
        "family_label": "Famille " + chosen(letters, family),
        "basin": written(9301 + basin, 4),
        "basin_label": "Bassin " + written(basin),
        "department": chosen(fiction.DEPARTMENTS, basin % len(fiction.DEPARTMENTS)),
        "department_label": "Département " + chosen(fiction.DEPARTMENTS, basin % len(fiction.DEPARTMENTS)),
        "region": pl.Series(["93"]).new_from_index(0, count),
        "region_label": pl.Series(["Provence-Alpes-Côte d'Azur"]).new_from_index(0, count),
        "met": _counts(met, secret),
        "xmet": _counts(hard, secret | (hard < _SECRET_BELOW)),
        "smet": _counts(seasonal, secret | (seasonal < _SECRET_BELOW)),
    }


def _job_offers(rng: np.random.Generator, start: int, count: int, seed: int) -> Columns:  # noqa: ARG001  (a Maker)
    fixed = {
        "partner_code": "PEP", "partner_name": "PEP", "experience_min": "0", "experience_code": "D",
        "experience_label": "Débutant", "experience_unit": "AN", "contract_nature": "E1", "country": "1", "modified_on": "",
    }  # fmt: skip
    reference = "2025-" + written(np.arange(start, start + count), 7)
    kind = rng.integers(0, 2, count)
    duties = [chosen(fiction.DUTIES, rng.integers(0, len(fiction.DUTIES), count)) for _ in range(2)]
    return {
        "reference": reference,
        "url": "https://offres.example.org/" + reference,
        "occupation_ogr": written(rng.integers(10_000, 12_300, count)),
        "occupation_label": chosen(("Gestionnaire", "Technicien", "Assistant de service"), rng.integers(0, 3, count)),
        "description": duties[0] + " " + duties[1],
        "department": chosen(fiction.DEPARTMENTS, kind),
        "department_label": "Département " + chosen(fiction.DEPARTMENTS, kind),
        "contract_type": chosen(("CDD", "CDI"), kind),
        "contract_months": chosen(("36", ""), kind),
        "company_description": chosen(("", "Établissement public de l'État."), kind),
        "created_on": french_dates(day(2025, 2, 3) + rng.integers(0, 300, count)),
        **{name: pl.Series([value]).new_from_index(0, count) for name, value in fixed.items()},
    }


def _by_recipes(recipes: Recipes) -> Maker:
    def make(rng: np.random.Generator, start: int, count: int, seed: int) -> Columns:  # noqa: ARG001  (a Maker)
        row = np.arange(start, start + count)
        return {name: recipe(rng, row) for name, recipe in recipes.items()}

    return make


_RECIPES = {**samples_training.RECIPES, **samples_offers.RECIPES, **samples_market.RECIPES}

MAKERS: Mapping[str, Maker] = {
    **{name: _by_recipes(recipes) for name, recipes in _RECIPES.items()},
    "candidate_pool": _candidate_pool,
    "job_offers": _job_offers,
    "studies_bmo": _studies_bmo,
    "training_entries": _training_entries,
    "training_outcomes": _training_outcomes,
}

BREAKS: Mapping[str, tuple[Break, ...]] = {
    **samples_training.BREAKS,
    **samples_offers.BREAKS,
    **samples_market.BREAKS,
    "candidate_pool": (
        Break("france-travail", "jobseeker_id", {"jobseeker_id": "1234"}),
        Break("required", "last_name", {"last_name": ""}),
        Break("email", "email", {"email": "sans-arobase.example.org"}),
        Break("phone", "phone", {"phone": "0639"}),
        Break("date", "birth_date", {"birth_date": "31/02/1990"}),
        Break("age", "birth_date", {"birth_date": "01/01/2024"}),
        Break("commune", "commune", {"commune": "99A01"}),
        Break("rome", "rome", {"rome": "Z9999"}),
        Break("integer", "experience_years", {"experience_years": "dix"}),
        Break("code_list", "licence", {"licence": "Z"}),
        Break("range", "mobility_km", {"mobility_km": "5000"}),
        Break("boolean", "consent", {"consent": "peut-être"}),
        Break("consent", "consent", {"consent": "non"}),
        Break("happened", "consented_on", {"consented_on": "31/12/2100"}),
    ),
    "job_offers": (
        Break("reference", "reference", {"reference": "réf. absente"}),
        Break("url", "url", {"url": "offres.example.org"}),
        Break("ogr", "occupation_ogr", {"occupation_ogr": "12345"}),
        Break("length", "description", {"description": "Trop court"}),
        Break("fixed_term_length", "contract_months", {"contract_type": "CDD", "contract_months": ""}),
        Break("date", "created_on", {"created_on": "2025-02-03"}),
        Break("modified_after_creation", "modified_on", {"modified_on": "01/01/2001"}),
    ),
    "studies_bmo": (
        Break("fap2009", "occupation", {"occupation": "A0Z4"}),
        Break("basin", "basin", {"basin": "931"}),
        Break("secrecy_threshold", "met", {"met": "3", "xmet": "*", "smet": "*"}),
        Break("count", "met", {"met": "environ 20"}),
        Break("part_of_met", "xmet", {"met": "20", "xmet": "21", "smet": "*"}),
        Break("secret_with_met", "smet", {"met": "*", "xmet": "*", "smet": "7"}),
        Break("required", "smet", {"smet": ""}),
    ),
    "training_entries": (
        Break("trainee_id", "trainee_id", {"trainee_id": "n° 12"}),
        Break("nir", "nir", {"nir": "185057800608437"}),
        Break("required", "last_name", {"last_name": ""}),
        Break("email", "email", {"email": "sans-arobase.example.org"}),
        Break("phone", "phone", {"phone": "0639"}),
        Break("date", "entry_date", {"entry_date": "31/02/2025"}),
        Break("exit_after_entry", "exit_date", {"exit_date": "01/01/1991"}),
        Break("siret", "provider_siret", {"provider_siret": "73282932000075"}),
        Break("commune", "commune", {"commune": "99A01"}),
        Break("place", "commune", {"commune": ""}),
        Break("formacode", "formacode", {"formacode": "317"}),
        Break("list", "funders", {"funders": "4,,7"}),
        Break("funders", "funders", {"funders": "4,fonds propres"}),
    ),
    "training_outcomes": (
        Break("period", "period", {"period": "24"}),
        Break("formacode", "formacode", {"formacode": "317"}),
        Break("certification", "certification", {"certification": "38381"}),
        Break("code_list", "territory_level", {"territory_level": "canton"}),
        Break("territory", "territory", {"territory": "1306"}),
        Break("count", "leavers", {"leavers": "-4"}),
        Break("leavers_entered", "leavers", {**_OUTCOME, "leavers": "13", "employment_rate": "46,2"}),
        Break("rate_agrees", "employment_rate", {**_OUTCOME, "employment_rate": "61,0"}),
    ),
}


def broken(contract_id: str, rows: int, bad_rate: float) -> Mapping[tuple[str, str], int]:
    """How many rows of a sample break which rule, on which column.

    Raises:
        UsageError: as ``sample`` does.
    """
    breaks = _breaks(contract_id, rows, bad_rate)
    bad = int(_bad_before(np.array([rows]), bad_rate)[0])
    return {(one.rule, one.column): len(range(i, bad, len(breaks))) for i, one in enumerate(breaks) if i < bad}


def sample(contract_id: str, rows: int, bad_rate: float = 0.0, seed: int = 0) -> Iterator[bytes]:
    """Rows of ``contract_id`` in the hub's CSV format: the header, then chunks of at most ``CHUNK_ROWS`` rows.

    Args:
        contract_id: a contract of the registry.
        rows: how many rows.
        bad_rate: share of rows that break a rule, from 0 to 1.
        seed: the same seed gives the same bytes.

    Raises:
        UsageError: no such contract, rows below 0, or a share outside 0 to 1.
    """
    breaks = _breaks(contract_id, rows, bad_rate)
    return _chunks(contract_id, rows, breaks, bad_rate, seed)


def _breaks(contract_id: str, rows: int, bad_rate: float) -> tuple[Break, ...]:
    known = contract(contract_id)
    if rows < 0 or not 0 <= bad_rate <= 1:
        raise UsageError("a sample needs rows of 0 or more and a share of bad rows from 0 to 1")
    return BREAKS[known.id]


def _chunks(contract_id: str, rows: int, breaks: tuple[Break, ...], bad_rate: float, seed: int) -> Iterator[bytes]:
    known = contract(contract_id)
    dialect = known.dialect("hub")
    yield (dialect.separator.join(dialect.columns) + _LINE_END).encode(dialect.encoding)
    for number, start in enumerate(range(0, rows, CHUNK_ROWS)):
        count = min(CHUNK_ROWS, rows - start)
        made = MAKERS[known.id](np.random.default_rng((seed, number)), start, count, seed)
        frame = pl.DataFrame({name: made[name] for name in dialect.columns})
        yield _written(_spoilt(frame, start, breaks, bad_rate), dialect)


def _bad_before(row: fiction.Ints, bad_rate: float) -> fiction.Ints:
    """How many of the rows before ``row`` are bad."""
    before: fiction.Ints = np.floor(row * bad_rate + _ROUNDING).astype(np.int64)
    return before


def _spoilt(frame: pl.DataFrame, start: int, breaks: tuple[Break, ...], bad_rate: float) -> pl.DataFrame:
    before = _bad_before(np.arange(start, start + frame.height + 1), bad_rate)
    turn = pl.Series(np.where(np.diff(before) > 0, before[:-1] % len(breaks), -1))
    for place, one in enumerate(breaks):
        if not (hit := turn == place).any():
            continue
        written_over = {column: pl.Series([value]) for column, value in one.written.items()}
        frame = frame.with_columns(
            value.new_from_index(0, frame.height).zip_with(hit, frame[column]).alias(column)
            for column, value in written_over.items()
        )
    return frame


def _written(frame: pl.DataFrame, dialect: Dialect) -> bytes:
    sink = io.BytesIO()
    frame.write_csv(
        sink, include_header=False, separator=dialect.separator, line_terminator=_LINE_END, quote_style="necessary"
    )
    return sink.getvalue().decode().encode(dialect.encoding)
