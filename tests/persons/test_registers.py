"""The register of article 30, the small registers beside it, and the scope of a breach: generated, and reconciled with what left."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.errors import UsageError
from portal.cli import run
from retention.purge import purge
from tests.gateway import CSP_ENDED, POOLS, Gateway, pools

CSP = "csp-ft-2024"
NOW = "2025-05-12T06:00:00+02:00"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered two months of candidates, one of them with its second lock's key handed over."""
    folder = tmp_path_factory.mktemp("registers")
    gateway = pools(folder / "gateway")
    for seed, period in enumerate(("2025-04", "2025-05")):
        gateway.run(POOLS, period, gateway.write(POOLS, 30, seed=seed, name=f"{period}.csv"))
    gateway.opened(gateway.parcels("mtfp")[0], "mtfp", folder / "opened")
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def gateway(stage: tuple[Gateway, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """That gateway as it was saved, where the command line finds it."""
    made = stage[0].restored(stage[1])
    for name, value in {"HOME": made.home, "NOW": NOW, "ACTOR": "dpo", "LANG": "fr"}.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
    yield made
    made.workspace.close()


def said(capfd: pytest.CaptureFixture[str], *words: str) -> Any:
    """The JSON that a command answers."""
    capfd.readouterr()
    status = run([*words, "--json"])
    came = capfd.readouterr()
    assert status == 0, came.err
    return json.loads(came.out)


def test_what_is_declared_is_held_against_what_left(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Pools happened, the rest of the personal exchanges never did, and nothing undeclared; a row behind the text's back shows."""
    found = {f"{one['convention']}/{one['exchange']}": one for one in said(capfd, "register", "article30")}
    pool = found.pop(POOLS)
    assert (pool["finding"], pool["deliveries"], pool["rows"], pool["article"]) == (
        "happened",
        2,
        60,
        "art. 3 (commun), point 1",
    )
    assert (pool["legal_basis"], pool["persons"]) == ("not_stated", "jobseekers")
    assert {"direct", "indirect"} <= {one["person"] for one in pool["data"]}
    assert found
    assert {one["finding"] for one in found.values()} == {"declared_never_happened"}
    with gateway.workspace.database.begin() as connection:
        connection.execute(text("UPDATE delivery SET recipient = 'face' WHERE sequence = 2"))
    stray = [one for one in said(capfd, "register", "article30", "--convention", CSP) if one["finding"] == "undeclared"]
    assert [(one["exchange"], one["deliveries"], one["rows"]) for one in stray] == [("candidate-pools", 1, 30)]


@pytest.mark.usefixtures("gateway")
def test_the_register_as_a_spreadsheet_and_as_a_page(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """CSV as French spreadsheets read it, in both languages; a page to print that loads nothing."""
    for lang, word in (("fr", "Finalité"), ("en", "Purpose")):
        monkeypatch.setenv("PASSERELLE_LANG", lang)
        capfd.readouterr()
        assert run(["register", "article30", "--format", "csv"]) == 0
        table = capfd.readouterr().out
        rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff")), delimiter=";"))
        assert table.startswith("\ufeff")
        assert word in rows[0]
        page = tmp_path / f"{lang}.html"
        assert run(["register", "article30", "--format", "html", "--out", str(page)]) == 0
        html = page.read_text("utf-8")
        assert html.count("<section>") == len(rows) > 3
        assert "http-equiv" not in html
        assert "src=" not in html
        assert word in html
    assert run(["register", "article30", "--format", "pdf"]) == 2


def test_what_a_dpo_asks_of_the_registers(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """The notice to persons and its version, processors and guarantees, fields never used, points that rest on an interpretation."""
    gateway.record(
        (CSP, "precondition_recorded", {"id": "processing-record", "exchange": "candidate-pools", "on": "2025-05-09", "notice": "N-7", "notice_version": "3"}),
        (CSP, "processor_declared", {"name": "host-one", "guarantees": "art. 28 contract", "on": "2025-05-06"}),
        (CSP, "field_use_declared", {"exchange": "candidate-pools", "party": "mtfp", "fields": ["jobseeker_id"], "on": "2025-05-10"}),
    )  # fmt: skip
    [pool] = [
        one for one in said(capfd, "register", "notices", "--convention", CSP) if one["exchange"] == "candidate-pools"
    ]
    assert [(one["notice"], one["version"]) for one in pool["records"]] == [("not_stated", "not_stated"), ("N-7", "3")]
    assert "informe" in pool["information"]["fr"]
    [host] = [one for one in said(capfd, "register", "processors", "--convention", CSP) if one["name"] == "host-one"]
    assert (host["guarantees"], host["condition"]) == ("art. 28 contract", "equivalent_guarantees")
    [used] = said(capfd, "register", "fields", "--convention", CSP)
    assert used["unused"] == sorted(set(used["received"]) - {"jobseeker_id"}) != []
    points = said(capfd, "register", "interpretations")
    assert {"CSP-I1"} <= {one.get("point") for one in points}
    for name in ("notices", "processors", "fields", "interpretations", "article30"):
        assert run(["register", name]) == 0


def test_the_scope_of_a_breach(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """By key, partner and span of time: deliveries, persons at most, columns by how much they say, what still opens."""
    fingerprint = gateway.identities["mtfp"].recipient.fingerprint
    by_key = said(capfd, "breach", "scope", "--key", fingerprint)
    assert by_key == said(capfd, "breach", "scope", "--partner", "mtfp")
    assert by_key["counts"] == {"deliveries": 2, "rows": 60, "persons_at_most": 60, "deliveries_without_index": 0}
    assert by_key["recipients"] == ["mtfp"]
    assert "jobseeker_id" in by_key["columns"]["direct"]
    assert sorted(one["second_lock"] for one in by_key["deliveries"]) == ["handed", "held"]
    assert by_key["still_openable"] == 1
    assert said(capfd, "breach", "scope", "--since", "2025-05-13")["counts"]["deliveries"] == 0
    assert said(capfd, "breach", "scope", "--until", "2025-05-13", "--convention", CSP)["counts"]["rows"] == 60
    assert run(["breach", "scope"]) == 2
    assert run(["breach", "scope", "--partner", "nobody"]) == 2


def test_the_scope_after_a_purge_is_what_the_register_still_tells(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Second locks are destroyed, columns are those that the convention allows, persons are still counted by the index."""
    gateway.record(CSP_ENDED).move_to("2025-10-10T05:00:00+02:00")
    purge(gateway.workspace, CSP)
    gateway.workspace.close()
    monkeypatch.setenv("PASSERELLE_NOW", "2025-10-10T06:00:00+02:00")
    found = said(capfd, "breach", "scope", "--partner", "mtfp")
    assert {one["second_lock"] for one in found["deliveries"]} == {"destroyed"}
    assert found["counts"]["persons_at_most"] == 60
    assert "jobseeker_id" in found["columns"]["direct"]


@pytest.mark.parametrize(
    ("kind", "payload"), [("breach_known", {"on": "2025-05-11"}), ("rights_request", {"id": "r-1"})]
)
def test_what_a_delay_runs_from_is_asked_for(gateway: Gateway, kind: str, payload: dict[str, str]) -> None:
    """A breach without its instant, or a request without its day, would have no clock: it is refused, and nothing is written."""
    with pytest.raises(UsageError, match="from which its delay runs"):
        gateway.record((CSP, kind, payload))
    assert not [one for one in gateway.entries("event_recorded") if one["event"] == kind]


def test_a_breach_runs_for_seventy_two_hours(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Known, to be notified before, late, notified: from the events on record (art. 33(1))."""
    gateway.record(
        (CSP, "breach_known", {"at": "2025-05-11T10:00:00+02:00", "id": "b-one"}),
        (CSP, "breach_known", {"at": "2025-05-01T10:00:00+02:00", "id": "b-two"}),
        (CSP, "breach_known", {"at": "2025-04-01T10:00:00+02:00", "id": "b-three"}),
        (CSP, "obligation_done", {"id": "b-three", "on": "2025-04-02"}),
    )
    found = said(capfd, "breach", "list")
    assert [(one["breach"], one["state"]) for one in found] == [
        ("b-one", "open"),
        ("b-two", "late"),
        ("b-three", "notified"),
    ]
    typed = said(
        capfd,
        "convention",
        "record",
        CSP,
        "breach_known",
        "--id",
        "b-four",
        "--args",
        '{"at": "2025-05-12T05:00:00+02:00"}',
    )
    assert typed["unknown"] == []
    assert (found[0]["due"], found[0]["hours_left"]) == ("2025-05-14T10:00:00+02:00", 52.0)
    assert run(["breach", "list"]) == 0
    assert "à notifier" in capfd.readouterr().out
