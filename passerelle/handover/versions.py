"""Which version of its contract a file is written for: the latest, or one before it whose notice period still runs.

Two versions are served side by side so that a sender has time to change; on the day after the last one announced, the version
before is refused, with a hint that says what to send instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from passerelle.contract import Contract, Dialect
from passerelle.errors import IntakeError, RefusedError
from passerelle.handover.order import Served, Tools
from passerelle.intake import Source


def sent_as(tools: Tools, opened: Callable[[Sequence[Dialect]], Source], today: date) -> Tools:
    """The tools with the contract in one of whose dialects the file is that ``opened`` opens; the latest where it is in none.

    Raises:
        RefusedError: the file is in a version whose notice period is over.
    """
    for one in tools.versions:
        if _is_in(opened, one.contract):
            if one.until is not None and today > one.until:
                raise over(one, tools.versions)
            return replace(tools, contract=one.contract)
    return tools


def recorded_as(tools: Tools, reference: str) -> Tools:
    """The tools with the version that a run was made with, where it is still known: what was accepted may be sent again."""
    for one in tools.versions:
        if f"{one.contract.id}@{one.contract.version}" == reference:
            return replace(tools, contract=one.contract)
    return tools


def _is_in(opened: Callable[[Sequence[Dialect]], Source], contract: Contract) -> bool:
    try:
        opened(contract.dialects).close()
    except IntakeError:
        return False
    return True


def over(one: Served, versions: Sequence[Served]) -> RefusedError:
    """The refusal of a file in a version whose notice period is over."""
    assert one.until is not None  # noqa: S101 - narrowed by the caller
    contract = one.contract
    latest = next((each.contract.version for each in versions if each.until is None), None)
    instead = f"send the file as version {latest}: " if latest else ""
    instead_fr = f"envoyez le fichier selon la version {latest} : " if latest else ""
    return RefusedError(
        f"version {contract.version} of {contract.id} was served until {one.until.isoformat()} (hub policy)",
        hint=f"{instead}passerelle contract diff {contract.id}@{contract.version} {contract.id} tells what changed",
        fr=f"la version {contract.version} de {contract.id} a été servie jusqu'au {one.until:%d/%m/%Y} (règle de la passerelle)",
        hint_fr=f"{instead_fr}passerelle contract diff {contract.id}@{contract.version} {contract.id} dit ce qui a changé",
    )
