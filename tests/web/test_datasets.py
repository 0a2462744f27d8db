"""What a partner reads of its contracts: fields, versions, changes, files to prepare with; no dataset of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.registry import contract
from passerelle.handover.check import check_file
from tests.contracts.making import DAY
from tests.gateway import CSP_ENDED, Gateway, pools
from tests.web.visitors import Portal, Visitor, words


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = pools(tmp_path_factory.mktemp("datasets")).partner("france-travail")
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def ministry(gateway: Gateway) -> Visitor:
    return Portal(gateway).visitor("partner", "mtfp")


@pytest.fixture(scope="module")
def agency(gateway: Gateway) -> Visitor:
    return Portal(gateway).visitor("partner", "france-travail")


def test_a_party_sees_what_it_sends_and_receives(ministry: Visitor, agency: Visitor) -> None:
    """The list has each dataset of a convention in force on the party's own side of it, with its article."""
    received = ministry.get("/contracts", params={"format": "json"}).json()
    sent = agency.get("/contracts", params={"format": "json"}).json()
    pool = next(row for row in received if row["dataset"] == "candidate_pool")
    assert (pool["exchange"], pool["article"]) == ("csp-ft-2024/candidate-pools", "art. 3 (commun), point 1")
    assert {row["side"] for row in received if row["dataset"] == "candidate_pool"} == {"you receive it"}
    assert {row["side"] for row in sent if row["dataset"] == "candidate_pool"} == {"you send it"}


def test_the_page_has_every_column_and_rule(ministry: Visitor) -> None:
    """The page of a contract has each column with its meaning and each rule, in the language of the reader."""
    for lang in ("fr", "en"):
        page = words(ministry.get("/contracts/candidate_pool", headers={"accept-language": lang}))
        known = contract("candidate_pool")
        assert all(getattr(column, lang) in page for column in known.columns)
        assert all(rule.id in page for rule in known.rules)


def test_versions_stand_side_by_side(agency: Visitor) -> None:
    """A version whose notice period runs is shown with its last day, and with what changes to the latest one."""
    page = words(agency.get("/contracts/job_offers"))
    old = contract("job_offers@1.0.0")
    assert old.served_until is not None
    assert old.version in page
    assert f"until {old.served_until.day} December {old.served_until.year}" in page.replace("\u00a0", " ")
    assert "From job_offers@1.0.0 to job_offers@" in page
    assert agency.get("/contracts/job_offers", params={"version": "1.0.0"}).status_code == 200
    assert agency.get("/contracts/job_offers", params={"version": "9.9.9"}).status_code == 404


def test_the_files_are_what_they_say(ministry: Visitor, tmp_path: Path) -> None:
    """The sample keeps the contract; of the one with faults the check says what the expected verdicts say."""
    known = contract("candidate_pool")
    for name in ("sample.csv", "sample-with-faults.csv"):
        (tmp_path / name).write_bytes(ministry.get(f"/contracts/candidate_pool/{name}").content)
    assert check_file(tmp_path / "sample.csv", known, DAY)["rejected"] == 0
    expected = ministry.get("/contracts/candidate_pool/expected-verdicts.json").json()
    assert expected == json.loads(json.dumps(check_file(tmp_path / "sample-with-faults.csv", known, DAY)))
    assert expected["rejected"] == 20
    schema = ministry.get("/contracts/candidate_pool/schema.json").json()
    assert set(schema["properties"]) == {column.name for column in known.columns}
    assert ministry.get("/contracts/candidate_pool/odcs.json").json()["kind"] == "DataContract"


def test_another_partys_dataset_is_as_absent_as_none(ministry: Visitor) -> None:
    """A dataset that the party neither sends nor receives, one that nobody knows, and a file that is none: one answer."""
    for path in ("studies_bmo", "nothing", "candidate_pool/other.csv", "studies_bmo/sample.csv", "candidate_pool/..%2Fobjects"):  # fmt: skip
        assert ministry.get(f"/contracts/{path}").status_code == 404


def test_a_convention_that_ended_gives_nothing(tmp_path: Path) -> None:
    """Once the convention is over its datasets are the party's no longer."""
    made = pools(tmp_path).move_to("2025-06-10T10:00:00+02:00").record(CSP_ENDED)
    one = Portal(made).visitor("partner", "mtfp")
    assert "candidate_pool" in one.get("/contracts").text
    made.move_to("2026-06-10T10:00:00+02:00")
    one = Portal(made).visitor("partner", "mtfp")
    assert "candidate_pool" not in one.get("/contracts").text
    made.workspace.close()
