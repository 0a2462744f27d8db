"""Whole exchanges of the conventions, from the sender's file to the recipient's extract, each by its own contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.registry import contract
from contracts.samples import sample
from passerelle.convention import Convention, load
from tests.gateway import PACA_SIGNED, Gateway

PACA = "paca-pe-2016"
GEIQ = "geiq-amilaura-2024"
YEARS_BACK = {
    PACA: 8,
    GEIQ: 0,
}  # so that the dates of a sample lie before the day of the run; leap years stay leap years
IN_FORCE = {PACA: "2019-06-03T06:00:00+02:00", GEIQ: "2025-06-03T06:00:00+02:00"}


def _exchanges(*names: str) -> list[tuple[str, str]]:
    root = Path(__file__).resolve().parent.parent.parent
    texts: list[Convention] = [load(root / "conventions" / f"{name}.yaml") for name in names]
    return [
        (text.id, exchange.id)
        for text in texts
        for exchange in text.exchanges
        if exchange.handling is not None and exchange.status == "active"
    ]


def _earlier(rows: bytes, years: int) -> bytes:
    """A sample whose dates lie so many years back."""
    return re.sub(
        rb"(?<!\d)(20[12]\d)(?=-\d\d-\d\d)|(?<=\d\d/\d\d/)(20[12]\d)",
        lambda found: str(int(found[0]) - years).encode(),
        rows,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("convention", "name"), _exchanges(PACA, GEIQ))
def test_each_exchange_runs_whole(tmp_path: Path, convention: str, name: str) -> None:
    """A sample of the exchange's contract is judged, minimised, sealed, delivered, and opened with the allowed columns alone."""
    gateway = Gateway.create(tmp_path, "2016-04-04T10:00:00+02:00").record(PACA_SIGNED)
    exchange = gateway.workspace.convention(convention).exchange(name)
    assert exchange is not None
    handling = exchange.handling
    assert handling is not None
    recipients = [party for party in exchange.to if party != handling.sender]
    for party in recipients:
        gateway.partner(party)
    for needed in exchange.requires:
        gateway.record((convention, "instrument_recorded", {"id": needed, "on": "2016-04-01"}))
    told = {"id": "processing-record", "exchange": name, "on": "2016-04-01"}
    gateway.record((convention, "precondition_recorded", told), (convention, "consent_recorded", {"exchange": name, "on": "2016-04-01"}))  # fmt: skip
    gateway.move_to(IN_FORCE[convention])
    source = tmp_path / "sent.csv"
    rows_sent = b"".join(sample(handling.contract, 200, 0.02 if handling.rejects == "quarantine" else 0.0))
    source.write_bytes(_earlier(rows_sent, YEARS_BACK[convention]))
    outcome = gateway.run(f"{convention}/{name}", IN_FORCE[convention][:4], source, handling.sender)
    assert outcome.state == "delivered"
    for party in recipients:
        [parcel] = gateway.parcels(party)
        header, *rows = gateway.opened(parcel, party, tmp_path / party).decode("utf-8").splitlines()
        named = set(handling.columns) or {column.name for column in contract(handling.contract).columns}
        assert set(header.split(",")) == named
        assert rows
