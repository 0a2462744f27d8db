"""Great Expectations judges a profile: one suite, one call, on a frame of one row made of aggregates.

Nothing of a person can reach it, and nothing of it reaches disk: the context lives in memory, analytics and progress bars are
off, and results carry booleans only (``BOOLEAN_ONLY``; every other format repeats observed values).
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from typing import Any

from checks.later import put_off
from checks.suite import Check, Suite
from passerelle.boundary import sealed
from passerelle.errors import OurWayError
from passerelle.profile import Finding, Profile, Verdict


@sealed
def judge(profile: Profile, history: Sequence[Profile], suite: Suite) -> Verdict:
    """Judge ``profile`` against the profiles of earlier periods.

    Raises:
        OurWayError: no check applies, or one could not be run.
    """
    checks = suite.checks(profile, history)
    if not checks:
        raise OurWayError("expected at least one check, none applies", where="checks")
    outcome = _outcomes(checks)
    findings = tuple(_finding(check, passed=outcome[check.id]) for check in checks)
    return Verdict(all(f.passed or f.level == "warning" for f in findings), findings)


def _finding(check: Check, *, passed: bool) -> Finding:
    fr, en = check.held if passed else check.broken
    return Finding(check.id, passed, fr, en, f"{check.measure:.4g}", check.level)


def _outcomes(checks: Sequence[Check]) -> dict[str, bool]:
    """Check id > held or not, for every check exactly once."""
    import pandas as pd

    if len({check.id for check in checks}) != len(checks):
        raise OurWayError("expected one check for each id", where="checks")
    frame = pd.DataFrame({check.id: [float(check.measure)] for check in checks})
    results = _validate(frame, checks)
    outcome: dict[str, bool] = {}
    for result in results:
        name = result.expectation_config.kwargs["column"]
        if result.exception_info.get("raised_exception", True):
            raise OurWayError("the check could not be run", where=f"check {name}")
        outcome[name] = bool(result.success)
    if len(results) != len(checks) or outcome.keys() != {check.id for check in checks}:
        raise OurWayError(f"expected {len(checks)} results, {len(results)} came", where="checks")
    return outcome


def _validate(frame: Any, checks: Sequence[Check]) -> list[Any]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), put_off("altair", "scipy.stats"):
        warnings.simplefilter("ignore", DeprecationWarning)  # its import of sre_constants (1.24.1, Python 3.11)
        import great_expectations as gx  # seconds
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )
        from great_expectations.expectations.core.expect_column_values_to_be_between import (
            ExpectColumnValuesToBeBetween,
        )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas("profiles").add_dataframe_asset("profile")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(
        name="profile",
        expectations=[ExpectColumnValuesToBeBetween(column=c.id, min_value=c.least, max_value=c.most) for c in checks],
    )
    return list(batch.validate(suite, result_format="BOOLEAN_ONLY").results)
