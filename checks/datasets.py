"""The suite of each dataset: what its profiles may do from one period to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from checks.codes import CODE_RULES
from checks.suite import RULES, Limits, Suite

YEARLY_TABLE: Final = Limits(rejected_share=0, volume=(0.8, 1.25), code_drift=0.1, null_drift=0.1)
"""Published tables, one row for each occupation, territory or structure: they hardly change size."""
DEMAND: Final = Limits(rejected_share=0, volume=(0.2, 5.0), code_drift=0.4, null_drift=0.4)
"""What employers and events bring: a few dozen rows, as the season goes."""

LIMITS: Final[Mapping[str, Limits]] = {
    **dict.fromkeys(
        (
            "annual_review", "apprentice_outcomes", "jobseekers_by_occupation", "labour_market_information",
            "missions_locales_directory", "studies_bmo", "territorial_diagnoses", "unemployment_rates",
            "unfilled_offers_analysis",
        ),
        YEARLY_TABLE,
    ),
    **dict.fromkeys(
        (
            "apprenticeship_needs", "candidate_feedback", "candidate_profiles", "events_list", "follow_up_form",
            "periodic_review", "placements", "recruitment_needs", "spro_call_notice", "unfilled_places", "vacancies",
        ),
        DEMAND,
    ),
}  # fmt: skip
"""Datasets that are not here keep the limits that ``Limits`` has of itself."""


def suite_of(dataset: str, rejected_share: float) -> Suite:
    """The suite that judges the profiles of ``dataset``; ``rejected_share`` is the exchange's own limit."""
    limits = replace(LIMITS.get(dataset, Limits(rejected_share)), rejected_share=rejected_share)
    return Suite(limits, (*RULES, *CODE_RULES))
