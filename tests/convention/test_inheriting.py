"""Child conventions inherit what protects the data; instances fill in a template, and nothing else."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from passerelle.convention import Convention, Request, decide, destruction_deadline, in_force, load, load_folder
from passerelle.convention.inheriting import INHERITED, MAX_GENERATIONS
from passerelle.convention.schema import schema
from passerelle.errors import ConventionFileError
from tests.convention.conftest import at, history

CHILD = """\
format: passerelle-convention/1
id: csp-aura-2025
parent: csp-ft-2024
title: {fr: Déclinaison régionale, en: Regional version}
source: {file: csp-aura.txt, sha256: "%s", kind: signed_convention, language: fr}
parties:
  - {id: prefecture-aura, name: Préfecture de région, kind: public_body, signatory: true, dpo: not_stated}
  - {id: france-travail-aura, name: Direction régionale de France Travail, kind: public_operator, signatory: true, dpo: not_stated}
signature: {signed_on: 2025-09-01, place: Lyon, basis: stated, clause: {ref: fin}}
term:
  kind: fixed_end
  starts: {rule: on_signature, basis: stated, clause: {ref: art. 3}}
  last_day: 2026-08-31
  renewal: {kind: none, basis: stated, clause: {ref: art. 3}}
  basis: stated
  clause: {ref: art. 3}
termination: not_stated
amendments: not_stated
instruments: []
exchanges:
  - id: regional-pools
    title: {fr: Viviers régionaux, en: Regional pools}
    from: [france-travail-aura]
    to: [prefecture-aura]
    data_class: personal
    persons: candidates
    trigger: {kind: on_schedule, every: month, basis: stated}
    due: not_stated
    requires: [sensitivity-assessment]
    status: active
    handling: null
    basis: stated
    clause: {ref: art. 2}
obligations: []
interpretations: []
silences: []
""" % ("0" * 64)
INSTANCE = """\
format: passerelle-convention/1
id: oce-exemple
template: oce-ge-charter
party: {id: exemple-sa, name: Exemple SA}
signed_on: 2025-02-03
"""
BLANK = (
    'source: {file: signed.txt, sha256: "'
    + "1" * 64
    + '", kind: signed_charter, language: fr, remarks: [Signed copy.]}\n'
)


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> Path:
    """The shipped files, in a folder where others can be laid."""
    for path in (root / "conventions").glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def laid(folder: Path, text: str, name: str | None = None) -> Convention:
    path = folder / f"{name or yaml.safe_load(text)['id']}.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def faults(folder: Path, text: str, name: str | None = None) -> tuple[str, ...]:
    with pytest.raises(ConventionFileError) as refused:
        laid(folder, text, name)
    return refused.value.faults


def test_a_child_inherits_what_protects_the_data(folder: Path, conventions: dict[str, Convention]) -> None:
    """Security with its preconditions, retention, calendar and zone are the parent's; parties, term and exchanges its own."""
    parent, child = conventions["csp-ft-2024"], laid(folder, CHILD)
    assert child.parent == parent.id
    for key in INHERITED:
        assert getattr(child, key) == getattr(parent, key)
    assert [party.id for party in child.parties] == ["prefecture-aura", "france-travail-aura"]
    assert child.lineage == ((parent.id, parent.sha256),)
    assert child.sha256 not in ("", parent.sha256)


def test_the_parents_preconditions_hold_for_the_child(folder: Path) -> None:
    """A precondition of the parent blocks the child's exchange until it is on the child's own record; so does its purge date."""
    child = laid(folder, CHILD)
    asked = Request("regional-pools", at("2025-10-01T09:00:00+02:00"))
    assert decide(child, (), asked).reason == "missing_precondition:sensitivity-assessment"
    filed = history(
        {"e": "precondition_recorded", "id": "sensitivity-assessment", "on": "2025-09-02"},
        {"e": "precondition_recorded", "id": "processing-record", "on": "2025-09-02"},
    )
    assert decide(child, filed, asked).allowed
    deadline = destruction_deadline(child, filed, at("2026-09-01T09:00:00+02:00"))
    assert (deadline.value, deadline.article) == (date(2026, 10, 31), "art. 7 § 6")


def test_what_a_child_states_is_not_inherited(folder: Path) -> None:
    """A child that states its own retention keeps it."""
    own = "retention: {destroy: [data], as_soon_as: no_longer_necessary, latest: {months: 1}, holds: [], basis: stated, clause: {ref: art. 5}}\n"  # fmt: skip
    child = laid(folder, CHILD + own)
    assert child.retention.latest.months == 1
    assert child.security == load(folder / "csp-ft-2024.yaml").security


def test_a_file_without_a_parent_states_everything(folder: Path) -> None:
    """What a child may leave out, any other file must state."""
    text = CHILD.replace("parent: csp-ft-2024\n", "")
    missing = [fault for fault in faults(folder, text) if "a block without it" in fault]
    assert len(missing) == len(INHERITED)


@pytest.mark.parametrize("key", ["parties", "term", "exchanges", "obligations", "signature", "termination"])
def test_a_child_states_what_is_its_own(folder: Path, key: str) -> None:
    """Parties, signature, term, termination, exchanges and obligations are never inherited."""
    data = yaml.safe_load(CHILD)
    del data[key]
    found = faults(folder, yaml.safe_dump(data, allow_unicode=True), "csp-aura-2025")
    assert any(f"the key '{key}'" in fault for fault in found)


def test_a_parent_that_is_not_there_is_a_fault_at_its_line(folder: Path) -> None:
    """An unknown parent, oneself, a circle and a parent too far up are refused at the line of the key."""
    assert [fault.split(": expected ")[0] for fault in faults(folder, CHILD.replace("csp-ft-2024", "nobody"))] == [
        "csp-aura-2025.yaml:3"
    ]
    assert faults(folder, CHILD.replace("csp-ft-2024", "csp-aura-2025"))
    (folder / "first.yaml").write_text(
        CHILD.replace("csp-ft-2024", "second").replace("csp-aura-2025", "first"), "utf-8"
    )
    assert faults(folder, CHILD.replace("csp-ft-2024", "first").replace("csp-aura-2025", "second"), "second")


@pytest.mark.parametrize(
    "name", ["../csp-ft-2024", "/etc/passwd", '"a\\0b"', "CSP-FT-2024", "x" * 300, "''", "12", "[a]"]
)
def test_a_parent_is_an_id_and_no_path(folder: Path, name: str) -> None:
    """What is not an id names no file, whatever lies on the disk."""
    (fault,) = faults(folder, CHILD.replace("csp-ft-2024", name), "csp-aura-2025")
    assert fault.startswith("csp-aura-2025.yaml:3: expected the id of another convention file")


def test_generations_are_bounded(folder: Path) -> None:
    """A file may rest on as many generations as the format says, and on no more; each is in its lineage."""
    above = "csp-ft-2024"
    for number in range(MAX_GENERATIONS):
        text = CHILD.replace("parent: csp-ft-2024", f"parent: {above}").replace("csp-aura-2025", f"below-{number}")
        found = laid(folder, text)
        above = found.id
        assert [one for one, _ in found.lineage] == [*(f"below-{n}" for n in reversed(range(number))), "csp-ft-2024"]
    assert faults(folder, CHILD.replace("csp-ft-2024", above))


def test_a_faulty_parent_is_told_at_its_own_line(folder: Path) -> None:
    """A child of a broken file is refused with the parent's faults."""
    parent = folder / "csp-ft-2024.yaml"
    parent.write_text(parent.read_text("utf-8").replace("jurisdiction: FR", "jurisdiction: fr"), "utf-8")
    assert all(fault.startswith("csp-ft-2024.yaml:") for fault in faults(folder, CHILD))


def test_an_instance_fills_in_the_template(folder: Path, conventions: dict[str, Convention]) -> None:
    """One file of five lines per employer: the party under its own id everywhere, signed, in force; the rest is the template's."""
    template, signed = conventions["oce-ge-charter"], laid(folder, INSTANCE)
    assert [party.id for party in signed.parties] == ["exemple-sa", "oce"]
    assert signed.parties[0].name == "Exemple SA"
    assert (signed.template, signed.source.kind, signed.source.remarks) == (template.id, "signed_charter", ())
    assert signed.lineage == ((template.id, template.sha256),)
    ends = {party for one in signed.exchanges for party in (*one.from_, *one.to)}
    assert ends == {"exemple-sa", "oce"}
    assert signed.modes()[0].reasons_from == "exemple-sa"
    assert {party for one in signed.obligations for party in one.who} == {"exemple-sa", "oce"}
    assert in_force(signed, (), at("2025-02-03T00:00:00+01:00")).value == "yes"
    assert in_force(signed, (), at("2025-02-02T23:59:59+01:00")).value == "no"
    assert in_force(template, (), at("2025-02-03T00:00:00+01:00")).value == "no"
    for key in ("term", "termination", "retention", "working_days", "interpretations"):
        assert key == "termination" or getattr(signed, key) == getattr(template, key)
    assert signed.title.fr.endswith("Exemple SA")


def test_an_instance_may_name_its_signed_copy(folder: Path) -> None:
    """The hash of the signed copy, a title and a DPO's address may be given; anything else is refused."""
    text = INSTANCE.replace("name: Exemple SA}", "name: Exemple SA, dpo: {email: dpo@exemple.example, post: not_stated, basis: hub_policy, clause: not_stated}}")  # fmt: skip
    signed = laid(folder, text + BLANK + "title: {fr: Charte, en: Charter}\n")
    assert (signed.source.sha256, signed.source.remarks, signed.title.en) == ("1" * 64, ("Signed copy.",), "Charter")
    assert not isinstance(signed.parties[0].dpo, str)
    assert any("unknown key 'exchanges'" in fault for fault in faults(folder, INSTANCE + "exchanges: []\n"))
    assert any("the key 'signed_on'" in fault for fault in faults(folder, INSTANCE.replace("signed_on: 2025-02-03\n", "")))  # fmt: skip


def test_an_unsigned_instance_waits_for_its_signature(folder: Path) -> None:
    """An instance whose date is not stated is undetermined until the signatures are on record."""
    text = laid(folder, INSTANCE.replace("2025-02-03", "not_stated"))
    instant = at("2025-06-02T12:00:00+02:00")
    assert in_force(text, (), instant).value == "undetermined"
    signed = history({"e": "signed", "on": "2025-03-01", "by": ["exemple-sa", "oce"]})
    assert in_force(text, signed, instant).value == "yes"


def test_only_a_template_can_be_filled_in(folder: Path) -> None:
    """A signed convention, an instance, and a party's id that the template has already are refused."""
    assert "a template with one blank party" in faults(folder, INSTANCE.replace("oce-ge-charter", "csp-ft-2024"))[0]
    laid(folder, INSTANCE)
    second = INSTANCE.replace("oce-ge-charter", "oce-exemple").replace("id: oce-exemple\n", "id: other\n", 1)
    assert "a template with one blank party" in faults(folder, second)[0]
    assert any("an id of its own" in fault for fault in faults(folder, INSTANCE.replace("exemple-sa", "oce")))


def test_a_folder_loads_its_relations(folder: Path) -> None:
    """A folder of files loads children and instances beside the texts that they rest on."""
    laid(folder, CHILD)
    laid(folder, INSTANCE)
    assert {"csp-aura-2025", "oce-exemple", "csp-ft-2024"} <= load_folder(folder).keys()


def test_the_schema_knows_the_three_kinds_of_files() -> None:
    """Another reader accepts a child and an instance, and refuses a whole file without retention."""
    judge = jsonschema.Draft202012Validator(json.loads(schema()))

    def plain(text: str) -> Any:
        return json.loads(json.dumps(yaml.safe_load(text), default=lambda day: day.isoformat()))

    assert judge.is_valid(plain(CHILD))
    assert judge.is_valid(plain(INSTANCE))
    assert not judge.is_valid(plain(CHILD.replace("parent: csp-ft-2024\n", "")))
    assert not judge.is_valid(plain(INSTANCE + "exchanges: []\n"))


@given(st.binary(max_size=200))
def test_any_bytes_after_the_key_raise_only_our_error(tail: bytes) -> None:
    """Whatever follows ``template:`` or ``parent:``, nothing but a fault of the file comes out."""
    from passerelle.convention import parse

    for key in (b"template: ", b"parent: "):
        with pytest.raises(ConventionFileError):
            parse(b"format: passerelle-convention/1\n" + key + tail, "any.yaml", lambda _name: None)
