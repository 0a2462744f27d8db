"""The field's own files, through whole exchanges: what the issue of the first delivery says of them comes out."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.codes import BASIN_2023
from passerelle.errors import GateRefusedError
from passerelle.handover.evidence import hand_release_key
from passerelle.profile import Edition
from passerelle.profile.editions import as_json
from tests.gateway import (
    OFFERS,
    POOLS,
    SHARED,
    Gateway,
    assert_no_orphans,
    files_under,
    rows_of,
    shell,
    trail_holds,
)

RECORDED = ("csp-ft-2024", "instrument_recorded", {"id": "offers-data-exchange-convention", "on": "2025-03-03"})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway in 2025, with the foundation and the operator ready to receive."""
    made = Gateway.create(tmp_path / "gateway", "2025-03-03T09:00:00+01:00").partner("face").partner("france-travail").partner("mtfp")  # fmt: skip
    yield made
    made.workspace.close()


def opened_by_hand(gateway: Gateway, parcel: Path, party: str, folder: Path) -> bytes:
    """The extract, by tar, ssh-keygen and age alone; the signature is checked first."""
    folder.mkdir()
    assert all(shutil.which(tool) for tool in ("age", "ssh-keygen", "tar"))
    shell(f"tar -xf {parcel}", folder)
    shutil.copy(gateway.home / "trust" / "allowed_signers", folder / "signers")
    manifest = (folder / "manifest.json").read_bytes()
    signed = "ssh-keygen -Y verify -f signers -I passerelle -n passerelle-manifest -s manifest.json.sig"
    assert shell(signed, folder, [manifest]).startswith('Good "passerelle-manifest" signature')
    (folder / "key").write_text(gateway.identities[party].secret + "\n")
    command = "age -d -i key"
    if len(json.loads(manifest)["passerelle"]["locks"]) > 1:
        release = hand_release_key(gateway.workspace, json.loads(manifest)["name"], party, actor="test")
        (folder / "release").write_text(release.secret + "\n")
        command = "age -d -i release extract.csv.age | age -d -i key > extract.csv"
    else:
        command += " extract.csv.age > extract.csv"
    shell(command, folder)
    return (folder / "extract.csv").read_bytes()


def test_the_survey_of_labour_needs_goes_all_the_way(gateway: Gateway, shared: Path, tmp_path: Path) -> None:
    """The workbook of 2023: 50,437 rows, secrecy marks neither zero nor empty, a warning, and stock tools open the parcel."""
    outcome = gateway.run(SHARED, "2023", shared / "data" / "bmo_2023.xlsx")
    assert (outcome.state, outcome.counts["read"], outcome.counts["rejected"]) == ("delivered", 50_437, 0)
    assert outcome.warning == "term_not_stated"
    (parcel,) = gateway.parcels("face")
    rows = rows_of(opened_by_hand(gateway, parcel, "face", tmp_path / "face"))
    manifest = json.loads((tmp_path / "face" / "manifest.json").read_bytes())
    assert len(rows) == manifest["resources"][0]["rows"] == manifest["passerelle"]["counts"]["extracted"] == 50_437
    assert manifest["passerelle"]["decision"]["warning"] == "term_not_stated"
    for name, marks in (("met", 9_196), ("xmet", 17_304), ("smet", 36_388)):
        seen = Counter("*" if row[name] == "*" else "0" if row[name] == "0" else "" if row[name] == "" else "number" for row in rows)  # fmt: skip
        assert seen == {"*": marks, "number": 50_437 - marks}
    assert len({row["basin"] for row in rows}) == 405
    assert all(len(row["basin"]) == 4 for row in rows)
    assert_no_orphans(gateway)


def test_public_offers_wait_for_their_instrument(gateway: Gateway, shared: Path, tmp_path: Path) -> None:
    """The offers of 2021 are refused until the instrument is on record; then every rejected row is counted under a rule."""
    source = shared / "data" / "pep_vers_pe_2021-03-03.csv"
    with pytest.raises(GateRefusedError) as refusal:
        gateway.run(OFFERS, "2021-03", source)
    assert refusal.value.reason == "missing_instrument:offers-data-exchange-convention"
    assert re.match(r"art\. 3 .*4", str(refusal.value.article))
    assert "offers-data-exchange-convention" in str(refusal.value.hint)
    assert files_under(gateway.home) == []
    outcome = gateway.record(RECORDED).run(OFFERS, "2021-03", source)
    rules = {(rule["rule"], rule["column"]): rule["count"] for rule in outcome.by_rule}
    assert rules == {("unique", "reference"): 67, ("length", "description"): 5}
    assert (outcome.counts["read"], outcome.counts["rejected"]) == (397, 72)
    assert sum(rules.values()) == outcome.counts["read"] - outcome.counts["accepted"]
    (parcel,) = gateway.parcels("france-travail")
    rows = rows_of(opened_by_hand(gateway, parcel, "france-travail", tmp_path / "ft"))
    assert len(rows) == len({row["reference"] for row in rows}) == 397 - 72
    assert gateway.entries("judged")[-1]["by_rule"] == {"unique": 67, "length": 5}
    trail_holds(gateway.workspace)


def test_candidate_pools_are_refused_as_the_text_stands(gateway: Gateway) -> None:
    """A pool of candidates is refused with the article and the agreement that is missing; nothing of it is read or kept."""
    with pytest.raises(GateRefusedError) as refusal:
        gateway.run(POOLS, "2025-03", gateway.write(POOLS, 20))
    assert refusal.value.reason == "missing_instrument:candidate-pool-agreement"
    assert re.match(r"art\. 3 .*1.* art\. 7", str(refusal.value.article))
    (decision,) = gateway.entries("decision")
    assert (decision["outcome"], decision["reason"]) == ("block", refusal.value.reason)
    assert files_under(gateway.home) == []
    assert gateway.runs() == []


def test_a_basin_of_another_zoning_is_told_of_the_exchange(gateway: Gateway) -> None:
    """With an edition of the basins on file, the outcome of an exchange and its page say which codes it lacks, and why."""
    source = gateway.write(SHARED, 200)
    basins = {row["basin"] for row in csv.DictReader(source.read_text("cp1252").splitlines(), delimiter=";")}
    known = Edition(BASIN_2023.name, "BE19", frozenset(basins - {min(basins)}))
    folder = gateway.home / "codes"
    folder.mkdir()
    (folder / "be19.json").write_text(json.dumps(as_json(known)))
    outcome = gateway.run(SHARED, "2023", source)
    assert outcome.state == "delivered"
    (told,) = [finding for finding in outcome.findings if finding["id"] == "codes:basin"]
    assert (told["passed"], told["level"]) == (False, "warning")
    assert f"possibly a change of zoning, edition BE23 is not there ({min(basins)}:" in told["en"]
    assert "BE19" in (gateway.home / str(outcome.report)).read_text("utf-8")
