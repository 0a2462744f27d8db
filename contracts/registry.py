"""The contracts of this gateway, by name. Light to import: pandera and polars come when a batch is judged."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.candidate_pool import CANDIDATE_POOL
from contracts.job_offers import JOB_OFFERS
from contracts.studies_bmo import STUDIES_BMO
from contracts.training_entries import TRAINING_ENTRIES
from contracts.training_outcomes import TRAINING_OUTCOMES
from passerelle.errors import UsageError

_ALL: tuple[DataContract, ...] = (
    CANDIDATE_POOL,
    JOB_OFFERS,
    STUDIES_BMO,
    TRAINING_ENTRIES,
    TRAINING_OUTCOMES,
)


def contracts() -> tuple[DataContract, ...]:
    """Every version of every contract, in the order of their names, latest version first."""
    return _ALL


def contract(id: str, version: str | None = None) -> DataContract:  # noqa: A002  (the word of the command line)
    """The contract of dataset ``id``, its latest version unless ``version`` says which.

    Raises:
        UsageError: there is no such dataset or no such version.
    """
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
    raise UsageError(
        f"no such version of {versions[0].id}", hint=f"versions: {', '.join(one.version for one in versions)}"
    )
