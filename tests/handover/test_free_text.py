"""What an exchange does with persons in its free text, from the sender's file to the recipient's extract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contracts.registry import contract
from passerelle.convention import load
from passerelle.errors import ConventionFileError
from passerelle.freetext import DEFAULT, TOKENS, Action
from passerelle.handover.check import check_file
from passerelle.handover.evidence import hand_release_key
from passerelle.handover.screening import policies
from passerelle.parcel import read_parcel
from portal.cli import run
from tests.canary import sweep
from tests.contracts.making import DAY
from tests.gateway import OFFERS, Gateway, edited, rows_of, trail_holds

ROOT = Path(__file__).resolve().parent.parent.parent
CSP = "csp-ft-2024"
FILED = (CSP, "instrument_recorded", {"id": "offers-data-exchange-convention", "on": "2025-05-05"})
EMAIL, PHONE, NIR, NAME = (
    "zoe.quintardcanari@exemple.fr",
    "06 98 76 54 32",
    "2 90 02 99 999 123 45",
    "Zoé Quintardcanari",
)

FILLER = " Poste ouvert aux titulaires comme aux contractuels, à pourvoir dès que possible."


def nir() -> str:
    """A number of nobody, with its key."""
    digits = int(re.sub(" ", "", NIR)[:13])
    return f"{NIR[:-2]}{97 - digits % 97:02}"


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """The convention of 2024, its offers allowed, its operator ready."""
    made = Gateway.create(tmp_path, "2025-05-06T10:00:00+02:00").record(FILED).partner("france-travail")
    return made.move_to("2025-05-12T06:00:00+02:00")


def offers(gateway: Gateway) -> Path:
    """Twenty offers: one with an address and two numbers, one with a NIR, one with a name; one begins as a formula does."""
    source = gateway.write(OFFERS, 20)
    return edited(
        source,
        {
            1: {"description": f"Écrire à {EMAIL} ou appeler le {PHONE}, le {PHONE} aussi.{FILLER}"},
            4: {"description": f"Mon NIR : {nir()}.{FILLER}"},
            6: {"description": f"Contact : Mme {NAME}, au service.{FILLER}", "occupation_label": "=1+1"},
        },
    )


def with_policy(gateway: Gateway, free_text: str) -> str:
    """Lay down the convention under another id with another policy for its offers, and give its exchange."""
    whole = (ROOT / "conventions" / f"{CSP}.yaml").read_text("utf-8")
    own = re.sub(r"      free_text: .*\n", free_text, whole, count=1).replace(f"\nid: {CSP}\n", "\nid: own-offers\n")
    (gateway.home / "conventions" / "own-offers.yaml").write_text(own, "utf-8")
    gateway.record(("own-offers", *FILED[1:]))
    return "own-offers/public-job-offers"


def test_masked_counted_and_refused(gateway: Gateway, tmp_path: Path) -> None:
    """Addresses and numbers are masked, a name is counted, the row with a NIR is in quarantine; counts tell it everywhere."""
    outcome = gateway.run(OFFERS, "2025-05", offers(gateway))
    assert outcome.counts == {
        "read": 20, "accepted": 19, "rejected": 1, "extracted": 19, "masked.email": 1, "masked.phone": 2, "free_text.name": 1,
    }  # fmt: skip
    assert [(rule["rule"], rule["column"], rule["first_rows"]) for rule in outcome.by_rule] == [
        ("free_text.nir", "description", [5])
    ]
    [parcel] = gateway.parcels("france-travail")
    rows = rows_of(gateway.opened(parcel, "france-travail", tmp_path / "opened"))
    assert rows[1]["description"].startswith(
        f"Écrire à {TOKENS['email']} ou appeler le {TOKENS['phone']}, le {TOKENS['phone']} aussi."
    )
    assert rows[5]["description"].startswith(f"Contact : Mme {NAME}, au service.")
    terms = read_parcel(parcel).manifest.passerelle
    told = {(note.column, note.kind, note.action, note.count) for note in terms.free_text or ()}
    assert told == {
        ("description", "email", "mask", 1),
        ("description", "phone", "mask", 2),
        ("description", "name", "count", 1),
        ("description", "nir", "refuse", 1),
    }
    assert [(found.column, found.cells) for found in terms.formulas or ()] == [("occupation_label", 1)]
    assert gateway.entries("judged")[-1]["by_rule"] == {"free_text.nir": 1}
    assert gateway.entries("delivery_intent")[-1]["counts"]["masked.phone"] == 2
    trail_holds(gateway.workspace)
    canaries = {"email": EMAIL, "phone": PHONE, "nir": nir(), "nir in a row": nir().replace(" ", ""), "name": NAME}
    assert not sweep([gateway.home], canaries)


def test_counted_alone_leaves_the_text_as_it_is(gateway: Gateway, tmp_path: Path) -> None:
    """Where everything is counted, nothing is changed nor refused."""
    every = ", ".join(f"{kind}: count" for kind in DEFAULT)
    which = with_policy(gateway, f"      free_text: {{columns: [description], {every}}}\n")
    outcome = gateway.run(which, "2025-05", offers(gateway))
    assert {name: count for name, count in outcome.counts.items() if "." in name} == {
        "free_text.email": 1, "free_text.phone": 2, "free_text.nir": 1, "free_text.name": 1,
    }  # fmt: skip
    extract = gateway.opened(gateway.parcels("france-travail")[0], "france-travail", tmp_path / "opened").decode()
    assert all(value in extract for value in (EMAIL, PHONE, nir(), NAME))


def test_without_a_policy_free_text_is_masked(gateway: Gateway, tmp_path: Path) -> None:
    """An exchange that says nothing lets no person leave in its texts."""
    outcome = gateway.run(with_policy(gateway, ""), "2025-05", offers(gateway))
    assert (outcome.counts["masked.name"], outcome.counts["rejected"]) == (1, 1)
    extract = gateway.opened(gateway.parcels("france-travail")[0], "france-travail", tmp_path / "opened").decode()
    assert not any(value in extract for value in (EMAIL, PHONE, nir(), NAME))


def test_each_exchange_with_free_text_has_a_policy() -> None:
    """Every exchange of the five conventions whose extract has free text states what is done with it, kind by kind."""
    stated = {}
    for path in sorted((ROOT / "conventions").glob("*.yaml")):
        for exchange in load(path).exchanges:
            if exchange.handling is not None:
                found = policies(exchange, contract(exchange.handling.contract).columns)
                if found:
                    assert exchange.handling.free_text is not None
                    assert set(found) == set(exchange.handling.free_text.columns)
                    assert all(policy["nir"] is Action.REFUSE for policy in found.values())
                    stated[exchange.id] = sorted(found)
    assert stated == {
        "public-job-offers": ["company_description", "description"],
        "brea-offers": ["description_offre"],
        "brea-reverse": ["description_offre"],
        "offers-dissemination": ["description"],
        "vacancies": ["descriptif_poste"],
    }


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{columns: [], email: mask, iban: refuse, avs: refuse, nir: refuse, phone: mask, name: count}", "a list of at least 1"),
        ("{columns: [description], email: mask, iban: refuse, avs: refuse, nir: refuse, phone: mask}", "the key 'name'"),
        ("{columns: [description], email: hide, iban: refuse, avs: refuse, nir: refuse, phone: mask, name: count}", "'count', 'mask' or 'refuse'"),
    ],
)  # fmt: skip
def test_a_policy_is_read_strictly(tmp_path: Path, written: str, said: str) -> None:
    """No column, a kind left out, another word: refused at its line."""
    whole = (ROOT / "conventions" / f"{CSP}.yaml").read_text("utf-8")
    text = re.sub(r"free_text: .*", f"free_text: {written}", whole)
    line = text[: text.index("free_text:")].count("\n") + 1
    path = tmp_path / f"{CSP}.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConventionFileError) as refused:
        load(path)
    assert any(fault.startswith(f"{CSP}.yaml:{line}: ") and said in fault for fault in refused.value.faults)


def test_the_check_of_a_file_notes_what_its_texts_hold(gateway: Gateway) -> None:
    """`contract check` tells a sender which rows hold what, and rejects none of them for it."""
    told = check_file(offers(gateway), contract("job_offers"), DAY)
    assert told["rejected"] == 0
    notes = {(note["note"], note["column"]): note["first_rows"] for note in told["notes"]}
    assert notes == {
        ("free_text.email", "description"): [2],
        ("free_text.phone", "description"): [2],
        ("free_text.nir", "description"): [5],
        ("free_text.name", "description"): [7],
    }


def test_a_copy_for_people_has_no_formula(gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`parcel open --for-people` writes a second file, neutralised; the extract stays what the manifest says."""
    gateway.run(OFFERS, "2025-05", offers(gateway))
    [parcel] = gateway.parcels("france-travail")
    key = tmp_path / "key.txt"
    key.write_text(gateway.identities["france-travail"].secret + "\n", "ascii")
    second = tmp_path / "parcel-key.txt"
    release = hand_release_key(gateway.workspace, read_parcel(parcel).manifest.name, "france-travail", actor="test")
    second.write_text(release.secret + "\n", "ascii")
    words = ["parcel", "open", str(parcel), "--identity", str(key), "--release-key", str(second), "--out", str(tmp_path / "out"), "--trust", str(gateway.home / "trust"), "--json"]  # fmt: skip
    assert run([*words, "--for-people"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["neutralised"] == 1
    assert b'"\'=1+1"' in Path(told["for_people"]).read_bytes()
    assert b",=1+1," in Path(told["extract"]).read_bytes()
