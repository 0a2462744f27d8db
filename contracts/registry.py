"""The contracts of this gateway, by name. Light to import: pandera and polars come when a batch is judged."""

from __future__ import annotations

from contracts.apprenticeship import APPRENTICE_OUTCOMES, APPRENTICESHIP_NEEDS
from contracts.base import DataContract
from contracts.brea import BREA_MONTHLY_REPORT, BREA_OFFERS, BREA_PHONE, BREA_REVERSE
from contracts.call_notices import SPRO_CALL_NOTICE
from contracts.candidate_pool import CANDIDATE_POOL
from contracts.employer_charter import (
    CANDIDATE_FEEDBACK,
    CANDIDATE_PROFILES,
    FOLLOW_UP_FORM,
    PERIODIC_REVIEW,
    VACANCIES,
)
from contracts.events import EVENTS_LIST
from contracts.job_offers import JOB_OFFERS, JOB_OFFERS_1_0
from contracts.labour_market import (
    JOBSEEKERS_BY_OCCUPATION,
    LABOUR_MARKET_INFORMATION,
    TERRITORIAL_DIAGNOSES,
    UNEMPLOYMENT_RATES,
    UNFILLED_OFFERS_ANALYSIS,
)
from contracts.public_service import PUBLIC_OFFERS_LIST, PUBLIC_OFFERS_SOURCE, PUBLIC_RECRUITMENT_NEEDS
from contracts.studies_bmo import STUDIES_BMO
from contracts.training_entries import TRAINING_ENTRIES
from contracts.training_outcomes import TRAINING_OUTCOMES
from contracts.training_selection import TRAINING_SELECTION, TRAINING_SELECTION_DECISIONS
from contracts.training_supply import TRAINING_OFFER_UPDATES, UNFILLED_PLACES
from contracts.youth_charter import (
    ANNUAL_REVIEW,
    MISSIONS_LOCALES_DIRECTORY,
    OFFERS_DISSEMINATION,
    PLACEMENTS,
    RECRUITMENT_NEEDS,
)
from passerelle.errors import UsageError

_ALL: tuple[DataContract, ...] = (
    ANNUAL_REVIEW,
    APPRENTICE_OUTCOMES,
    APPRENTICESHIP_NEEDS,
    BREA_MONTHLY_REPORT,
    BREA_OFFERS,
    BREA_PHONE,
    BREA_REVERSE,
    CANDIDATE_FEEDBACK,
    CANDIDATE_POOL,
    CANDIDATE_PROFILES,
    EVENTS_LIST,
    FOLLOW_UP_FORM,
    JOB_OFFERS,
    JOB_OFFERS_1_0,
    JOBSEEKERS_BY_OCCUPATION,
    LABOUR_MARKET_INFORMATION,
    MISSIONS_LOCALES_DIRECTORY,
    OFFERS_DISSEMINATION,
    PERIODIC_REVIEW,
    PLACEMENTS,
    PUBLIC_OFFERS_LIST,
    PUBLIC_OFFERS_SOURCE,
    PUBLIC_RECRUITMENT_NEEDS,
    RECRUITMENT_NEEDS,
    SPRO_CALL_NOTICE,
    STUDIES_BMO,
    TERRITORIAL_DIAGNOSES,
    TRAINING_ENTRIES,
    TRAINING_OFFER_UPDATES,
    TRAINING_OUTCOMES,
    TRAINING_SELECTION,
    TRAINING_SELECTION_DECISIONS,
    UNEMPLOYMENT_RATES,
    UNFILLED_OFFERS_ANALYSIS,
    UNFILLED_PLACES,
    VACANCIES,
)


def contracts() -> tuple[DataContract, ...]:
    """Every version of every contract, in the order of their names, latest version first."""
    return _ALL


def served(id: str) -> tuple[DataContract, ...]:  # noqa: A002  (the word of the command line)
    """The versions of dataset ``id`` that senders may use, latest first; the one alone where ``id`` names it (``@``).

    A version before the latest is served until the end of its notice period (``served_until``), and never without one.

    Raises:
        UsageError: there is no such dataset or no such version.
    """
    chosen = contract(id)
    if "@" in id:
        return (chosen,)
    return (chosen, *(one for one in _ALL if one.id == chosen.id and one.served_until is not None))


def contract(id: str, version: str | None = None) -> DataContract:  # noqa: A002  (the word of the command line)
    """The contract of dataset ``id``, its latest version unless ``version``, or ``id`` as in ``job_offers@1.0.0``, says which.

    Several versions of one dataset are served side by side: an exchange's handling names one, or takes the latest.

    Raises:
        UsageError: there is no such dataset or no such version.
    """
    id, _, named = id.partition("@")  # noqa: A001  (the word of the command line)
    version = version or named or None
    versions = [one for one in _ALL if one.id == id]
    if not versions:
        known = ", ".join(dict.fromkeys(one.id for one in _ALL))
        raise UsageError(
            "no contract of that name",
            hint=f"contracts: {known}",
            fr="aucun contrat de données de ce nom",
            hint_fr=f"contrats : {known}",
        )
    for one in versions:
        if version in (None, one.version):
            return one
    served = ", ".join(one.version for one in versions)
    raise UsageError(
        f"no such version of {versions[0].id}",
        hint=f"versions: {served}",
        fr=f"cette version de {versions[0].id} n'existe pas",
        hint_fr=f"versions : {served}",
    )
