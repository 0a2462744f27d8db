"""What a partner is told: its own notices, nobody else's, and the data protection officers that the texts name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from flows import assembly
from passerelle.persons import received
from passerelle.persons.notifying import notify
from passerelle.store import partners
from retention.attestations import request as ask
from tests.gateway import CSP_FILED, Gateway, two_recipients
from tests.web.objects import somebody
from tests.web.programs import program
from tests.web.visitors import Portal, words

NOW = "2025-05-12T10:00:00+02:00"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in which each kind of notice concerns the first of two recipients, and fewer the second."""
    made = Gateway.create(tmp_path_factory.mktemp("notices"), NOW).record(*CSP_FILED).partner("mtfp")
    which = two_recipients(made)
    convention = which.partition("/")[0]
    made.run(which, "2025-05", made.write(which, 30))
    (first,) = [one for one in made.deliveries(state="delivered") if one.recipient == "mtfp"]
    with made.workspace.database.begin() as connection:
        answer = received(made.workspace, connection, somebody(made), kind="email")
        own = [one for one in answer.deliveries if one.recipient == "mtfp"]
        notify(made.workspace, connection, "rectification", "r-1", own)
        ending = made.workspace.now() + timedelta(days=10)
        for key in partners.keys(connection, "mtfp"):
            partners.end(connection, key.fingerprint, not_after=ending, at=made.workspace.now())
    ask(made.workspace, convention, party="mtfp")
    made.record((convention, "breach_known", {"at": "2025-05-12T08:00:00+02:00", "id": "b-1"}))
    order = replace(
        made.order(which, "2025-05", made.write(which, 29, seed=3)), supersedes=first.id, reason="corrected"
    )
    assembly.run(made.workspace, order)
    yield made
    made.workspace.close()


def kinds(gateway: Gateway, party: str) -> dict[str, int]:
    """How many notices of each kind a party has."""
    found: dict[str, int] = {}
    for one in program(Portal(gateway), party).get("/notices").json()["items"]:
        found[one["kind"]] = found.get(one["kind"], 0) + 1
    return found


def test_a_notice_leads_to_where_it_is_acted_on(gateway: Gateway) -> None:
    """A superseded parcel, a request to attest, a key and a contract that ends each lead to their page, which is there."""
    one = Portal(gateway).visitor("partner", "mtfp")
    told = program(Portal(gateway), "mtfp").get("/notices").json()["items"]
    page = one.get("/notices").text
    places = {
        "superseded": "/parcels/{about}",
        "attestation": "/attestations/{about}",
        "key": "/keys",
        "version": "/contracts/{name}",
    }
    for each in told:
        if each["kind"] in places:
            path = places[each["kind"]].format(about=each["about"], name=each["about"].partition("@")[0])
            assert f'href="{path}"' in page
            assert one.get(path).status_code == 200


def test_each_kind_is_told_to_whom_it_concerns(gateway: Gateway) -> None:
    """A superseded parcel, an attestation, an answer of article 19, a key that ends, a version that ends and a breach are told to their party."""
    first, second = kinds(gateway, "mtfp"), kinds(gateway, "mtss")
    assert {"superseded", "attestation", "person", "key", "version", "breach"} == set(first)
    assert {"person", "key"} & set(second) == set()


def test_the_page_says_the_same(gateway: Gateway) -> None:
    """The page has every notice in the reader's language, and the officer of each party, or that the text names none."""
    one = Portal(gateway).visitor("partner", "mtfp")
    told = program(Portal(gateway), "mtfp").get("/notices").json()
    for lang in ("fr", "en"):
        page = words(one.get("/notices", headers={"accept-language": lang}))
        assert all(" ".join(notice["said"][lang].split()) in page for notice in told["items"])
    assert all(contact["dpo"] in page for contact in told["contacts"] if contact["dpo"] != "not_stated")
    assert {contact["dpo"] == "not_stated" for contact in told["contacts"]} == {
        True,
        False,
    } or "the text does not say" in page


def test_who_has_nothing_is_told_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A party of no convention has an empty page that says so, and is told that it has no key."""
    made = Gateway.create(tmp_path_factory.mktemp("none"), NOW)
    with made.workspace.database.begin() as connection:
        partners.add(connection, "nobody", "Nobody", None, at=made.workspace.now())
    page = words(Portal(made).visitor("partner", "nobody").get("/notices"))
    assert "No key is valid" in page
    assert "No convention in force names you" in page
    made.workspace.close()
