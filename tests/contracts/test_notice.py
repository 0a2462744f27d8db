"""Two versions of a dataset, served side by side while a notice period runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from contracts.registry import contract, contracts, served
from contracts.samples import sample
from passerelle.errors import RefusedError
from tests.gateway import OFFERS, Gateway

LAST_DAY = contract("job_offers@1.0.0").served_until
AGREED = ("csp-ft-2024", "instrument_recorded", {"id": "offers-data-exchange-convention", "on": "2025-05-05"})


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway.create(tmp_path, "2025-06-03T06:00:00+02:00").record(AGREED)


@pytest.fixture
def sent(tmp_path: Path) -> Callable[[str], Path]:
    def make(reference: str) -> Path:
        path = tmp_path / "offers.csv"
        path.write_bytes(b"".join(sample(reference, 50)))
        return path

    return make


def test_replaced_versions_say_until_when() -> None:
    """Each version but the latest has the last day of its notice period, the latest has none, and a named version is alone."""
    latest = {one.id: one for one in reversed(contracts())}
    for one in contracts():
        assert (one.served_until is None) == (one is latest[one.id])
        assert served(one.id)[0] is latest[one.id]
        assert served(one.reference) == (one,)
    assert [one.version for one in served("job_offers")] == ["1.1.0", "1.0.0"]


def test_both_versions_are_taken_until_the_last_day(gateway: Gateway, sent: Callable[[str], Path]) -> None:
    """On the last day of the notice, a file of either version is delivered as the version that it is in."""
    gateway.partner("france-travail")
    gateway.move_to(f"{LAST_DAY}T22:59:00+01:00")
    for period, reference in (("2026-11", "job_offers@1.0.0"), ("2026-12", "job_offers@1.1.0")):
        assert gateway.run(OFFERS, period, sent(reference), "mtfp").state == "delivered"
    told = {run.period: run.contract for run in gateway.runs()}
    assert told == {"2026-11": "job_offers@1.0.0", "2026-12": "job_offers@1.1.0"}


def test_the_old_version_is_refused_the_day_after(gateway: Gateway, sent: Callable[[str], Path]) -> None:
    """From the day after, in the convention's own zone, the old version is refused with the date and what to send instead."""
    gateway.partner("france-travail")
    assert date(2026, 12, 31) == LAST_DAY
    gateway.move_to("2027-01-01T00:00:00+01:00")
    with pytest.raises(RefusedError, match=r"version 1\.0\.0 of job_offers was served until 2026-12-31") as refused:
        gateway.run(OFFERS, "2026-12", sent("job_offers@1.0.0"), "mtfp")
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("send the file as version 1.1.0")
    assert "servie jusqu'au 31/12/2026" in str(refused.value.fr)
    assert gateway.run(OFFERS, "2026-12", sent("job_offers"), "mtfp").state == "delivered"
