"""exchange releases: which tables of outcomes a party was sent, and what was withheld from it."""

from __future__ import annotations

from typing import Annotated

import typer

from portal.context import JsonFlag, looked, opened, screen
from portal.render import Text
from portal.words import moment


def attach(exchange: typer.Typer) -> None:
    """Add the command to those of exchanges."""
    exchange.command("releases")(releases)


def releases(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Who received them.")],
    dataset: Annotated[str | None, typer.Option(help="Tables of one data contract only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the tables of outcomes that a party was sent: every new one is judged beside them."""
    from passerelle.store import outcome_releases

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "deliveries_read", party),
        workspace.database.read() as connection,
    ):
        sent = outcome_releases.releases(connection, dataset, [party])
    value = [
        {
            "delivery": one.delivery, "convention": one.convention, "exchange": one.exchange, "dataset": one.dataset,
            "period": one.period, "cells": one.cells, "published": one.published, "withheld": one.withheld,
            "released_at": one.released_at,
        }
        for one in sent
    ]  # fmt: skip
    titles = [
        Text("remis", "released"), Text("échange", "exchange"), Text("période", "period"), Text("cases", "cells"),
        Text("publiées", "published"), Text("masquées", "withheld"), Text("colis", "parcel"),
    ]  # fmt: skip
    rows = [
        (
            moment(one.released_at, out.lang), f"{one.convention}/{one.exchange}", one.period, one.cells, one.published,
            one.withheld, one.delivery,
        )
        for one in sent
    ]  # fmt: skip
    out.answer(value, lambda: out.table(titles, rows, right=frozenset({3, 4, 5})))
