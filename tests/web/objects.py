"""What stands in the paths of the portal: for each parameter, an object of the visitor's party and one of another's.

A way with a new parameter needs a line here (tests/web/test_roles.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.registry import contract
from passerelle.clock import iso
from passerelle.handover.check import check_file
from passerelle.persons import received
from passerelle.persons.notifying import notify
from passerelle.persons.requesting import open_request
from passerelle.store import alerts, sendings
from passerelle.store.runs import Delivery
from passerelle.store.sendings import Sending
from retention.attestations import request as ask
from retention.purge import purge
from retention.suspending import Asked, place
from tests.gateway import CSP_FILED, OFFERS, POOLS, TWO, Gateway, two_recipients
from tests.web.visitors import Portal

OWN_PARTY, OTHER_PARTY = "mtfp", "mtss"
ALERT = "al-0123456789abcdef"
PURGED = "csp-ft-2024.1"  # the purge of what was delivered under the text that the two-ministries one is made from


@dataclass
class Objects:
    """``found`` maps a parameter to what is one's own and what is another's; ``consuming`` are ways that use their object up."""

    found: dict[str, tuple[str, str]]
    consuming: frozenset[str] = field(default=frozenset())

    def get(self, parameter: str, *, own: bool) -> str:
        """One object."""
        if parameter not in self.found:
            pytest.fail(f"tests/web/objects.py: say what {{{parameter}}} is, of {OWN_PARTY} and of {OTHER_PARTY}")
        return self.found[parameter][0 if own else 1]


def with_objects(folder: Path) -> Gateway:
    """A gateway that has destroyed what it delivered under one text, and delivered to two partners under another."""
    made = Gateway.create(folder, "2025-05-12T10:00:00+02:00").record(*CSP_FILED).partner(OWN_PARTY)
    which = two_recipients(made)
    made.run(POOLS, "2025-05", made.write(POOLS, 30), "france-travail")
    made.record(("csp-ft-2024", "declared_unnecessary", {"on": "2025-05-12"}))
    purge(made.workspace, "csp-ft-2024")
    made.run(which, "2025-05", made.write(which, 30))
    return made


def objects_of(portal: Portal) -> Objects:
    """The objects of a gateway that has delivered one extract to both parties."""
    sent = {one.recipient: one for one in portal.gateway.deliveries(state="delivered")}

    def of(value: Callable[[Delivery], str]) -> tuple[str, str]:
        return value(sent[OWN_PARTY]), value(sent[OTHER_PARTY])

    account = portal.account("somebody", "engineer").id
    known = {"account": (account, account), "party": (OWN_PARTY, OTHER_PARTY), "purge": (PURGED, PURGED)}
    known |= {"dataset": ("candidate_pool", "studies_bmo"), "file": ("sample.csv", "sample.csv")}
    asked = {one.party: one.request for one in ask(portal.gateway.workspace, sent[OWN_PARTY].convention)}
    known["asked"] = (asked[OWN_PARTY], asked[OTHER_PARTY])
    known["sending"] = _sending(portal, OWN_PARTY), _sending(portal, OTHER_PARTY)
    return Objects(known | _deliveries(of) | _persons(portal))


def _sending(portal: Portal, party: str) -> str:
    """A file that a party sent, as its table has it: what its pages show needs no more."""
    workspace = portal.gateway.workspace
    file = portal.gateway.write(OFFERS, 5, name=f"{party}.csv")
    checked = check_file(file, contract("job_offers"), workspace.now().date())
    one = Sending(
        f"s-{secrets.token_hex(8)}", "csp-ft-2024", "public-job-offers", "2025", party, secrets.token_hex(32), 1, checked,
        iso(workspace.now()), None, "waiting", None,
    )  # fmt: skip
    with workspace.database.begin() as connection:
        sendings.add(connection, one)
    return one.id


def _persons(portal: Portal) -> dict[str, tuple[str, str]]:
    """A request of a person, the notice to a recipient that follows from it, a hold and an alert."""
    workspace = portal.gateway.workspace
    request = open_request(workspace, "rectification", by="test").row.id
    with workspace.database.begin() as connection:
        answer = received(workspace, connection, somebody(portal.gateway), kind="email")
        notice = notify(workspace, connection, "rectification", request, answer.deliveries)[0].id
    until = workspace.now().date() + timedelta(days=90)
    asked = Asked("litigation", "a court asks", "test", until, names=("public-job-offers",))
    hold = place(workspace, TWO.partition("/")[0], asked, by="test").id
    with workspace.database.begin() as connection:
        alerts.see(connection, ALERT, "scheduler_stopped", {}, at=workspace.now())
    return {"request": (request, request), "notice": (notice, notice), "hold": (hold, hold), "alert": (ALERT, ALERT)}


def somebody(gateway: Gateway) -> str:
    """The address of a person whose row was delivered: of the last row of what the partner sent."""
    lines = (gateway.folder / "sent" / "sample.csv").read_bytes().decode("cp1252").strip().split("\r\n")
    return lines[-1].split(";")[lines[0].split(";").index("email")]


def _deliveries(of: Callable[[Callable[[Delivery], str]], tuple[str, str]]) -> dict[str, tuple[str, str]]:
    report = of(lambda one: f"{one.convention}.{one.exchange}.{one.run}.report.html")
    texts = of(lambda one: one.convention)
    return {"delivery": of(lambda one: one.id), "parcel": of(lambda one: one.id), "run": of(lambda one: one.run), "name": report, "which": texts}  # fmt: skip
