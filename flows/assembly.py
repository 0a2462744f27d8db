"""Puts together what one exchange needs: its text, its contract, its checks. Knows no orchestrator."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from checks.datasets import suite_of
from checks.judge import judge
from checks.page import page
from contracts.outcomes import OUTCOME_TABLES
from contracts.registry import served
from contracts.wording import expected
from flows import planning
from flows.forgetting import erase_prefect, left_in_prefect
from passerelle.access import seal
from passerelle.clock import iso
from passerelle.convention import Exchange
from passerelle.errors import PasserelleError, RefusedError, TheirDataError
from passerelle.handover.decide import exchange_of
from passerelle.handover.exchange import run_exchange
from passerelle.handover.order import Order, Outcome, Progress, Served, Tools, quiet, sending_at
from passerelle.handover.waiting import settle
from passerelle.keys import ORDERS, CopyKey, age_sink, decrypt
from passerelle.profile import Edition, Profile, Verdict, read_editions
from passerelle.store import runs, sendings
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.files import erase
from retention import index, quarantine, watchdog
from retention.clock import insist_on_clock, note
from retention.looks import expire_looks
from retention.plan import plans
from retention.purge import Prefect, purge
from retention.webhook import Webhook

PREFECT = Prefect(erase_prefect, left_in_prefect)  # what a purge makes forget, and reads again


def open_workspace(home: str | None = None) -> Workspace:
    """The workspace at ``home``, or where the environment says."""
    environment = dict(os.environ)
    if home is not None:
        environment["PASSERELLE_HOME"] = home
    return Workspace.open(Settings.read(environment))


def tools_for(exchange: Exchange, editions: Sequence[Edition] = ()) -> Tools:
    """The contract, the checks and the disclosure roles of an exchange; ``editions`` are those of code lists on file.

    Raises:
        RefusedError: the exchange carries no rows: no contract is bound to it.
    """
    if exchange.handling is None:
        raise RefusedError(
            f"no data contract is bound to {exchange.id}",
            hint="the exchange's handling names its contract; passerelle contract list shows those there are",
            fr=f"aucun contrat de données n'est lié à {exchange.id}",
            hint_fr="le « handling » de l'échange nomme son contrat ; passerelle contract list donne ceux qui existent",
        )
    versions = served(exchange.handling.contract)
    chosen = versions[0]
    suite = suite_of(chosen.id, exchange.handling.max_rejected_share)

    def judged(profile: Profile, history: Sequence[Profile]) -> Verdict:
        return judge(profile, history, suite)

    shown = partial(page, subject=f"{exchange.title.fr} / {exchange.title.en}")
    outcomes = OUTCOME_TABLES.get(chosen.id)
    dated = [Served(one, one.served_until) for one in versions]
    words = {key: said for one in reversed(versions) for key, said in expected(one).items()}
    return Tools(chosen, judged, shown, outcomes, editions, words, versions=dated)


def run(workspace: Workspace, order: Order, progress: Progress = quiet) -> Outcome:
    """Carry out an order at once, by the engine."""
    exchange = exchange_of(workspace.convention(order.convention), order.exchange)
    tools = None
    if exchange is not None and exchange.handling is not None:
        tools = tools_for(exchange, read_editions(workspace.home / "codes"))
    try:
        return run_exchange(workspace, order, tools, progress)
    finally:
        if sending_at(workspace, order.source) is not None:
            settle(workspace)


def place_order(workspace: Workspace, order: Order, order_id: str | None = None) -> str:
    """Keep an order for later, its input path sealed to the key of its exchange's orders, and give its id (made here unless given)."""
    workspace.convention(order.convention)  # no key set is made for a convention that there is not
    order_id = order_id or uuid4().hex
    wrapped = io.BytesIO()
    with age_sink(wrapped, [_orders_key(workspace, order.convention, order.exchange).recipient]) as sink:
        sink.write(str(order.source.absolute()).encode())
    row = runs.OrderRow(
        order_id,
        order.convention,
        order.exchange,
        order.period,
        order.sender,
        wrapped.getvalue(),
        order.supersedes,
        order.reason,
    )
    with workspace.database.begin() as connection:
        runs.place(connection, row, at=workspace.now())
    return order_id


def run_order(home: str | None, order_id: str, progress: Progress = quiet) -> dict[str, Any]:
    """Carry out a placed order; its outcome as ids and counts. The order is dropped once it is carried out or refused."""
    workspace = open_workspace(home)
    try:
        with workspace.database.read() as connection:
            row = runs.order(connection, order_id)
        order = Order(
            row.convention, row.exchange, row.period, _source(workspace, row), row.sender,
            supersedes=row.supersedes, reason=row.reason,
        )  # fmt: skip
        try:
            outcome = run(workspace, order, progress)
        except (RefusedError, TheirDataError) as refused:
            if isinstance(refused, RefusedError) or sending_at(workspace, order.source) is not None:
                _drop(workspace, order_id)
            raise
        _drop(workspace, order_id)
        if order.source.is_relative_to(workspace.home / "inbox"):
            erase(order.source)
        return outcome.as_json()
    finally:
        workspace.close()


def _source(workspace: Workspace, row: runs.OrderRow) -> Path:
    plain = io.BytesIO()
    decrypt(io.BytesIO(row.input), plain, [_orders_key(workspace, row.convention, row.exchange).identity])
    return Path(plain.getvalue().decode())


def _orders_key(workspace: Workspace, convention: str, exchange: str) -> CopyKey:
    """The key of the orders that wait for an exchange."""
    workspace.keyset(convention)  # made at first use
    return workspace.keys.obtain_copy_key(convention, f"{ORDERS}{exchange}")


def _drop(workspace: Workspace, order_id: str) -> None:
    with workspace.database.begin() as connection:
        runs.drop_order(connection, order_id)


def daily_plan(home: str | None) -> list[dict[str, Any]]:
    """Place an order for every file waiting in the inbox, and keep what fell due since the last plan.

    An order's idempotency key is the day's, and what fell due has a key of its own: planning twice is harmless. The inbox has
    a folder per convention, exchange and period: ``inbox/CONVENTION/EXCHANGE/PERIOD/``. A file leaves it once it is taken in
    and delivered; a sending (``passerelle.handover.waiting``) also once it was refused for what it is.
    """
    workspace = open_workspace(home)
    try:
        settle(workspace)
        orders = [
            _planned(workspace, order)
            for path in sorted((workspace.home / "inbox").glob("*/*/*/*"))
            if path.is_file() and not path.name.startswith(".") and (order := _order(workspace, path)) is not None
        ]
        planning.record_plan(workspace, len(orders))
        with workspace.database.begin() as connection:
            note(workspace, connection)
            seal(connection, workspace.ledger, workspace.now())
        return orders
    finally:
        workspace.close()


def _order(workspace: Workspace, path: Path) -> Order | None:
    """The order of a file that waits; None for one that is still arriving."""
    convention, exchange, period = path.parent.relative_to(workspace.home / "inbox").parts
    sending = sending_at(workspace, path)
    if sending is None:
        return Order(convention, exchange, period, path)
    with workspace.database.read() as connection:
        known = sendings.find(connection, sending)
    return None if known is None else Order(convention, exchange, period, path, known.party)


def _planned(workspace: Workspace, order: Order) -> dict[str, Any]:
    seal = workspace.keyset(order.convention).commit(str(order.source.absolute()).encode())
    return {
        "order_id": place_order(workspace, order, seal[:32]),
        "convention": order.convention,
        "exchange": order.exchange,
        "period": order.period,
        "idempotency_key": f"{iso(workspace.now())[:10]}.{seal[:32]}",
    }


def purge_due(home: str | None, *, confirm: bool) -> dict[str, Any]:
    """Plan every purge; with ``confirm`` run those that may run now, and let go what is past its life.

    That is quarantines, the person indexes of purged conventions, and the lines of the access log.
    """
    workspace = open_workspace(home)
    try:
        with workspace.database.read() as connection:
            if confirm:
                insist_on_clock(workspace, connection)
            due = [plan for plan in plans(workspace, connection) if plan.allowed]
            indexes = index.expired(workspace, connection)
            rejects = quarantine.due(workspace, connection)
        if confirm:
            quarantine.expire(workspace)
        certificates, failures = [], []
        for plan in due if confirm else ():
            try:
                certificates.append(purge(workspace, plan.convention, prefect=PREFECT).id)
            except PasserelleError as error:  # one purge that waits, or is stuck, stops no other
                failures.append(error)
        for one in indexes if confirm else ():
            index.destroy(workspace, one)
        if confirm:
            expire_looks(workspace)
        if failures:
            raise failures[0]
        return {
            "due": len(due) + len(indexes) + len(rejects),
            "holdings": sum(len(plan.copies) for plan in due),
            "certificates": ", ".join(certificates),
        }
    finally:
        workspace.close()


def watch(home: str | None) -> list[dict[str, Any]]:
    """The alerts that stand: what should have happened and did not. What changed is sent to PASSERELLE_ALERT_WEBHOOK.

    Raises:
        PasserelleError: the workspace cannot be opened, which is sent too.
    """
    webhook = Webhook.of(os.environ)
    try:
        workspace = open_workspace(home)
    except PasserelleError as error:
        if webhook is not None:
            watchdog.cannot_open(webhook, error)
        raise
    try:
        return [one.as_json() for one in watchdog.watch(workspace, ("obligations", planning.overdue), webhook=webhook)]
    finally:
        workspace.close()
