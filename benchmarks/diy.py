# ruff: noqa: E402  (the clock starts before the imports)
"""The reference: what an engineer writes in an afternoon with the tools everybody has.

    python benchmarks/diy.py INPUT OUTDIR

INPUT is ``training_entries`` in the hub's format (cp1252, ``;``, French dates). pandas reads it whole; pandera judges it lazily
by the rules of the contract (``contracts/training_entries.py``: the same rows are rejected, a test shows it); Great Expectations
looks at the frame in one suite; accepted and rejected rows are written by ``to_csv`` and encrypted with age. Identifiers are
judged by python-stdnum, value by value, as its own pages show; everything else is judged on whole columns.

Prints one JSON line: rows, accepted, rejected, seconds (imports included), peak_rss_mb.
"""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import json
import os
import re
import resource
import sys
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import pandas as pd
import pandera.pandas as pa
import pyrage
from stdnum.fr import nir, siret

EMAIL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
PHONE = r"(?:0|(?:\+|00)33 ?)[1-9](?:[ .-]?[0-9]{2}){4}|\+(?:[1-24-9][0-9]{6,13}|3[0-24-9][0-9]{5,12})"
COMMUNE = r"(?:0[1-9]|[1-8][0-9]|9[0-5]|2[AB])[0-9]{3}|97[1-8][0-9]{2}|98[4-9][0-9]{2}"
SPECIMEN = "269054958815780"
NIR = r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}"
CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
FIRST, LAST = pd.Timestamp("1990-01-01"), pd.Timestamp("2100-12-31")
KEY = ["trainee_id", "session_id", "entry_date"]


def fullmatch(pattern: str) -> pa.Check:
    return pa.Check(lambda column: column.str.fullmatch(pattern), name="pattern")


def text(low: int, high: int) -> list[pa.Check]:
    return [
        pa.Check(lambda column: column.str.len().between(low, high), name="length"),
        pa.Check(lambda column: ~column.str.contains(CONTROL), name="text"),
    ]


def nir_good(number: str) -> bool:
    month = number[3:5]
    dated = "01" <= month <= "12" or "20" <= month <= "42" or "50" <= month <= "99"
    return (
        bool(re.fullmatch(NIR, number))
        and nir.is_valid(number)
        and dated
        and number[5:7] != "00"
        and number != SPECIMEN
    )


def siret_good(number: str) -> bool:
    return bool(siret.is_valid(number)) and number != "0" * 14 and number.isdigit()


SCHEMA = pa.DataFrameSchema(
    {
        "trainee_id": pa.Column(str, fullmatch(r"[0-9A-Za-z_-]{1,20}")),
        "nir": pa.Column(str, pa.Check(nir_good, element_wise=True, name="nir"), nullable=True),
        "last_name": pa.Column(str, text(1, 100)),
        "first_name": pa.Column(str, text(1, 100)),
        "email": pa.Column(str, fullmatch(EMAIL), nullable=True),
        "phone": pa.Column(str, fullmatch(PHONE), nullable=True),
        "course_label": pa.Column(str, text(1, 255)),
        "session_id": pa.Column(str, fullmatch(r"[0-9A-Za-z_/-]{1,30}")),
        "entry_date": pa.Column("datetime64[us]", pa.Check.in_range(FIRST, LAST)),
        "exit_date": pa.Column("datetime64[us]", pa.Check.in_range(FIRST, LAST), nullable=True),
        "provider_siret": pa.Column(str, pa.Check(siret_good, element_wise=True, name="siret")),
        "commune": pa.Column(str, fullmatch(COMMUNE)),
        "formacode": pa.Column(str, fullmatch(r"[1-9][0-9]{4}"), nullable=True),
        "funders": pa.Column(str, fullmatch(r"[0-9A-Z]{1,10}(?:[;,][0-9A-Z]{1,10})*"), nullable=True),
    },
    checks=[
        pa.Check(lambda frame: ~(frame["exit_date"] < frame["entry_date"]), name="exit_after_entry"),
        pa.Check(lambda frame: ~frame.duplicated(KEY), name="unique"),
    ],
    strict=True,
)


def read(source: Path) -> pd.DataFrame:
    frame = pd.read_csv(source, sep=";", encoding="cp1252", dtype=str, na_values=[""], keep_default_na=False)
    for name in ("entry_date", "exit_date"):
        given = frame[name].notna()
        frame[name] = pd.to_datetime(frame[name], format="%d/%m/%Y", errors="coerce").astype("datetime64[us]")
        frame = frame.assign(**{f"{name}_unread": given & frame[name].isna()})
    return frame


def judge(frame: pd.DataFrame) -> pd.Series:
    """Which rows break a rule."""
    unread = frame.pop("entry_date_unread") | frame.pop("exit_date_unread")
    try:
        SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        unread[errors.failure_cases["index"].dropna().unique()] = True
    return unread


def expect(frame: pd.DataFrame) -> bool:
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frame").add_dataframe_asset("entries")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})
    expectations = [
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
        gxe.ExpectTableColumnCountToEqual(value=14),
        gxe.ExpectColumnValuesToNotBeNull(column="trainee_id"),
        gxe.ExpectColumnValuesToNotBeNull(column="entry_date"),
        gxe.ExpectColumnValuesToNotBeNull(column="nir", mostly=0.5),
        gxe.ExpectColumnValuesToNotBeNull(column="email", mostly=0.5),
        gxe.ExpectColumnValuesToNotBeNull(column="formacode", mostly=0.5),
        gxe.ExpectColumnMinToBeBetween(column="entry_date", min_value=FIRST),
        gxe.ExpectColumnMaxToBeBetween(column="entry_date", max_value=LAST),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column="provider_siret", min_value=2),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column="commune", min_value=2),
    ]
    result = batch.validate(gx.ExpectationSuite("entries", expectations=expectations), result_format="BOOLEAN_ONLY")
    return bool(result.success)


def write(frame: pd.DataFrame, path: Path, recipient: pyrage.x25519.Recipient) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d")
    pyrage.encrypt_file(str(path), f"{path}.age", [recipient])
    path.unlink()


def main(source: Path, folder: Path) -> dict[str, float]:
    """Read, judge, look at, write and encrypt ``source`` into ``folder``."""
    frame = read(source)
    rejected = judge(frame)
    accepted = frame[~rejected]
    assert expect(accepted)
    recipient = pyrage.x25519.Identity.generate().to_public()
    write(accepted, folder / "extract.csv", recipient)
    write(frame[rejected], folder / "rejected.csv", recipient)
    return {
        "rows": len(frame),
        "accepted": len(accepted),
        "rejected": int(rejected.sum()),
        "seconds": round(time.perf_counter() - _STARTED, 2),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:]))))
