"""The command line: ``passerelle``. Exit status 0 done or yes, 1 refused or found wrong, 2 wrong usage."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import metadata
from typing import Annotated

os.environ.setdefault("TYPER_USE_RICH", "0")  # typer's rich help triples the time that --help takes

import typer

from passerelle.boundary import sealed
from passerelle.errors import PasserelleError, UsageError
from portal import usage
from portal.commands import (
    accesses,
    approvals,
    attestations,
    backups,
    bundles,
    codelists,
    contracts,
    conventions,
    exchanges,
    holds,
    life,
    parcels,
    partners,
    persons,
    pictures,
    planning,
    probing,
    purges,
    quarantines,
    receipts,
    received,
    registers,
    rehearsing,
    releases,
    reporting,
    rights,
    serving,
    trail,
    watchdogs,
    watching,
)
from portal.context import screen
from portal.starting import start

app = typer.Typer(
    name="passerelle",
    help="A gateway between organisations that signed a convention to share data: the convention is the program.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (
    life, conventions, approvals, planning, rehearsing, pictures, contracts, partners, exchanges, parcels, receipts, trail,
    watching, watchdogs, attestations, purges, backups, serving, accesses, persons, quarantines, bundles, holds,
):  # fmt: skip
    module.attach(app)
probing.attach(contracts.contract)
codelists.attach(contracts.contract)
reporting.attach(exchanges.exchange)
releases.attach(exchanges.exchange)
received.attach(persons.person)
rights.attach(persons.person)
registers.attach(app)
_commands = cache(typer.main.get_command)  # to read every signature takes as long as a short command


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"passerelle {metadata.version('passerelle')}")
        raise typer.Exit


@app.callback()
def _gateway(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run one command and exit with its status."""
    start(sys.argv[1:])
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit status."""
    try:
        return _carry_out(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except UsageError as fault:
        screen().error(fault)
        return 2
    except PasserelleError as fault:
        screen().error(fault)
        return 1


@sealed
def _carry_out(arguments: list[str]) -> int:
    """Run one command; its exit status. Whatever it is asked in words that it does not know is told in the reader's language."""
    root = _commands(app)
    try:
        status = root.main(arguments, prog_name="passerelle", standalone_mode=False)
    except usage.FAULT as fault:
        if not usage.is_help(fault):
            raise usage.in_words(fault, arguments, root) from None
        typer.echo(str(fault), err=True)
        return 2
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    main()
