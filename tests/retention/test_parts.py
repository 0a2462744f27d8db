"""What goes with a part of a convention: requests to its recipients first, its files in the inbox, its runs in Prefect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.assembly import place_order
from passerelle.errors import OurWayError, RefusedError
from passerelle.receipt.attestation import read_request
from passerelle.store import attestations, flow_orders, purges
from passerelle.workspace import Workspace
from retention.purge import Prefect, purge
from retention.scope import Scope
from tests.gateway import CSP_ENDED, OFFERS, POOLS, Gateway, pools

CSP, POOL, OFFER = "csp-ft-2024", "candidate-pools", "public-job-offers"
DUE = "2025-10-10T05:00:00+02:00"
HELD = (CSP, "litigation_opened", {"on": "2025-09-01", "exchange": OFFER})


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """Two exchanges delivered under a convention whose time is over, an order of each known to Prefect, a file of each waiting."""
    folder = tmp_path_factory.mktemp("parts")
    made = pools(folder / "gateway").partner("france-travail")
    made.record((CSP, "instrument_recorded", {"id": "offers-data-exchange-convention", "on": "2025-05-05"}))
    made.run(POOLS, "2025-05", made.write(POOLS, 40))
    made.run(OFFERS, "2025-05", made.write(OFFERS, 30))
    for exchange in (POOL, OFFER):
        with made.workspace.database.begin() as connection:
            flow_orders.remember(connection, exchange, CSP, exchange, at=made.workspace.now())
        for period in ("2025-05", "2025-06"):
            laid = made.home / "inbox" / CSP / exchange / period / "late.csv"
            laid.parent.mkdir(parents=True)
            laid.write_text("plain")
    made.record(CSP_ENDED).move_to(DUE)
    return made, made.saved(folder / "saved")


@pytest.fixture
def gateway(saved: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """The gateway as it was saved."""
    made, folder = saved
    again = made.restored(folder).move_to(DUE)
    yield again
    again.workspace.close()


class Server:
    """A server of Prefect that holds orders by their exchange."""

    def __init__(self) -> None:
        self.orders = {POOL, OFFER}

    def erase(self, _workspace: Workspace, _convention: str, exchange: str | None) -> dict[str, int]:
        self.orders -= {exchange} if exchange else {POOL, OFFER}
        return {}

    def left(self, orders: frozenset[str]) -> dict[str, int]:
        return {"flow_run": len(self.orders & orders)}

    @property
    def protocol(self) -> Prefect:
        return Prefect(self.erase, self.left)


def laid(gateway: Gateway) -> set[tuple[str, ...]]:
    """Exchange and period of the files that wait."""
    return {path.parent.parts[-2:] for path in (gateway.home / "inbox").rglob("*.csv")}


def asked(gateway: Gateway) -> dict[str, set[str]]:
    """By party, the exchanges of the parcels whose destruction is to be attested."""
    with gateway.workspace.database.read() as connection:
        rows = attestations.requests(connection)
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.party, set()).update(one.exchange for one in read_request(row.line).parcels)
    return found


@pytest.mark.parametrize(
    ("scope", "gone", "orders", "left"),
    [
        (Scope(CSP, exchange=POOL), {POOL}, {OFFER}, {(OFFER, "2025-05"), (OFFER, "2025-06")}),
        (Scope(CSP, exchange=POOL, period="2025-05"), {POOL}, {OFFER}, {(POOL, "2025-06"), (OFFER, "2025-05"), (OFFER, "2025-06")}),
        (Scope(CSP, period="2025-06"), None, {POOL, OFFER}, {(POOL, "2025-05"), (POOL, "2025-06"), (OFFER, "2025-05"), (OFFER, "2025-06")}),
        (Scope(CSP), {POOL, OFFER}, set(), set()),
    ],
)  # fmt: skip
def test_with_a_part_goes_what_is_its_own(
    gateway: Gateway, scope: Scope, gone: set[str] | None, orders: set[str], left: set[tuple[str, ...]]
) -> None:
    """Its recipients are asked for its parcels alone; its files in the inbox and its orders in Prefect go, those of others stay."""
    server = Server()
    if gone is None:
        with pytest.raises(RefusedError, match="nothing is held"):
            purge(gateway.workspace, CSP, scope=scope, prefect=server.protocol)
    else:
        assert purge(gateway.workspace, CSP, scope=scope, prefect=server.protocol).state == "done"
    assert laid(gateway) == left
    assert server.orders == orders
    assert set().union(*asked(gateway).values()) == (gone or set())


def test_what_a_hold_keeps_keeps_its_files_and_orders(gateway: Gateway) -> None:
    """A purge of the whole that a hold makes a part: what the hold names stays, in the inbox and in Prefect too."""
    server = Server()
    gateway.record(HELD)
    purge(gateway.workspace, CSP, prefect=server.protocol)
    assert {exchange for exchange, _ in laid(gateway)} == {OFFER}
    assert server.orders == {OFFER}


def test_an_exchange_that_an_order_waits_for_keeps_both(gateway: Gateway) -> None:
    """An order that nobody carried out yet finds its file and its run."""
    server = Server()
    place_order(gateway.workspace, gateway.order(POOLS, "2025-06", gateway.write(POOLS, 5)))
    purge(gateway.workspace, CSP, scope=Scope(CSP, exchange=POOL), prefect=server.protocol)
    assert {exchange for exchange, _ in laid(gateway)} == {POOL, OFFER}
    assert server.orders == {POOL, OFFER}


def test_no_certificate_while_prefect_keeps_the_orders_of_a_part(gateway: Gateway) -> None:
    """What a server does not forget of the exchange keeps the purge open."""
    server = Server()
    keeps = Prefect(lambda *_: {}, server.left)
    with pytest.raises(OurWayError, match="flow_run"):
        purge(gateway.workspace, CSP, scope=Scope(CSP, exchange=POOL), prefect=keeps)
    assert gateway.entries("purge_certificate") == []


def test_recipients_are_asked_before_any_key_goes(gateway: Gateway) -> None:
    """When the first key is about to go the requests are in the trail and in the folders; asked again after a halt, none is made anew."""

    def halt(stage: str) -> None:
        if stage == "keys":
            raise InterruptedError

    for _ in range(2):
        with pytest.raises(InterruptedError):
            purge(gateway.workspace, CSP, halt)
        assert gateway.workspace.keyset(CSP)
        parties = sorted(entry["party"] for entry in gateway.entries("attestation_requested"))
        assert parties == sorted({one.recipient for one in gateway.deliveries(state="delivered")})
        assert all(any(one.suffix == ".request" for one in gateway.parcels(party)) for party in parties)
    purge(gateway.workspace, CSP)
    assert len(gateway.entries("attestation_requested")) == len(parties)


def test_a_plan_that_grew_asks_for_the_rest(gateway: Gateway) -> None:
    """A hold that is lifted while nothing is gone yet: what it kept is asked for too, and nothing twice."""

    def halt(stage: str) -> None:
        if stage == "keys":
            raise InterruptedError

    gateway.record(HELD)
    with pytest.raises(InterruptedError):
        purge(gateway.workspace, CSP, halt)
    assert set().union(*asked(gateway).values()) == {POOL}
    gateway.record((CSP, "litigation_closed", {"on": "2025-10-10", "exchange": OFFER}))
    purge(gateway.workspace, CSP)
    with gateway.workspace.database.read() as connection:
        named = [one.parcel for row in attestations.requests(connection) for one in read_request(row.line).parcels]
        assert len(purges.purges(connection)) == 1
    assert sorted(named) == sorted(one.id for one in gateway.deliveries(state="delivered"))
