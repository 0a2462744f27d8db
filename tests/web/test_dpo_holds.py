"""Holds on pages: placed with a reason, an owner and a review; what each keeps; looked at again; lifted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.errors import RefusedError
from retention.purge import purge
from tests.canary import sweep
from tests.gateway import CSP_ENDED, POOLS, Gateway, edited, pools
from tests.web.visitors import Portal, Visitor, words

WHICH = "csp-ft-2024"
DUE = "2025-10-10T05:00:00+02:00"
PERSON = {"email": "quintard.canari@exemple.fr"}
FORM = {"about": f"{WHICH}/candidate-pools", "kind": "litigation", "reason": "requête 2025-114", "owner": "Claire", "review": "2025-12-01"}  # fmt: skip


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered one pool, whose convention is over and due."""
    folder = tmp_path_factory.mktemp("holds")
    gateway = pools(folder / "gateway")
    gateway.run(POOLS, "2025-05", edited(gateway.write(POOLS, 30), {3: PERSON}))
    gateway.record(CSP_ENDED).move_to(DUE)
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def gateway(stage: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """That gateway as it was saved."""
    made = stage[0].restored(stage[1])
    yield made
    made.workspace.close()


@pytest.fixture
def dpo(gateway: Gateway) -> Visitor:
    """Its DPO, who reads French."""
    one = Portal(gateway).visitor("dpo", name="Claire")
    one.post("/language", {"lang": "fr"})
    return one


def placed(dpo: Visitor, **more: str) -> str:
    """The page of a hold that was placed just now."""
    answer = dpo.post("/holds/new", {**FORM, **more})
    assert answer.status_code == 303, words(answer)
    return str(answer.headers["location"])


def test_a_hold_says_what_it_keeps_and_what_goes_when_it_is_lifted(gateway: Gateway, dpo: Visitor) -> None:
    """Placed on due copies it keeps them all; its page says how many are due the same day once lifted, and then they go."""
    place = placed(dpo)
    with pytest.raises(RefusedError):
        purge(gateway.workspace, WHICH)
    page = words(dpo.get(place))
    count = len([copy for copy in gateway.present(convention=WHICH) if copy.ours and copy.kind != "index"])
    assert f"rend dues le jour même {count} copies sur {count}" in page.replace("\xa0", " ")
    assert "requête 2025-114" in page
    answer = dpo.post(f"{place}/lift", {"reason": "affaire close"})
    assert answer.headers["location"] == f"/destruction/plans/{WHICH}"
    assert "levée" in words(dpo.get(place))
    assert purge(gateway.workspace, WHICH).state == "done"


@pytest.mark.parametrize("field", ["reason", "owner", "period"])
def test_no_field_of_a_hold_repeats_the_person(dpo: Visitor, field: str) -> None:
    """What is kept and shown with a hold must not name the person whom it is about."""
    answer = dpo.post("/holds/new", {**FORM, "identifier": PERSON["email"], field: f"pour {PERSON['email']}"})
    assert answer.status_code == 400
    assert PERSON["email"] not in answer.text


def test_a_hold_on_what_is_not_due_makes_nothing_due(gateway: Gateway) -> None:
    """Before the convention's last day, lifting a hold destroys nothing, and the page says so."""
    gateway.move_to("2025-06-20T06:00:00+02:00")
    early = Portal(gateway).visitor("dpo", name="Claire")
    place = placed(early)
    assert "it makes nothing due" in words(early.get(place))


def test_a_review_is_recorded_and_puts_the_next_one_off(gateway: Gateway, dpo: Visitor) -> None:
    """Past its day the hold is told late; looked at again, with a reason, it has a new day and keeps what it kept."""
    place = placed(dpo)
    gateway.move_to("2025-12-05T06:00:00+01:00")
    one = Portal(gateway).visitor("dpo", name="Claire")
    one.post("/language", {"lang": "fr"})
    assert "réexamen en retard" in words(one.get(place))
    assert one.post(f"{place}/review", {"reason": "", "review": "2026-03-01"}).status_code == 400
    assert one.post(f"{place}/review", {"reason": "toujours pendante", "review": "2025-12-05"}).status_code == 400
    assert one.post(f"{place}/review", {"reason": "toujours pendante", "review": "2026-03-01"}).status_code == 303
    (row,) = one.get("/holds", params={"format": "json"}).json()
    assert (row["state"], row["review"]) == ("en cours", "2026-03-01")
    assert row["copies"] > 0
    assert [entry["event"] for entry in gateway.entries("event_recorded")].count("hold_reviewed") == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reason": ""}, "motif"),
        ({"review": ""}, "il faut une date"),
        ({"review": "2025-10-09"}, "réexamen à venir"),
        ({"since": "2026-01-01"}, "commence aujourd'hui ou avant"),
        ({"period": "printemps"}, "il faut une période"),
        ({"about": "csp-ft-2024/none"}, "échange ou jeu de données inconnu"),
        ({"about": "none"}, "convention"),
        ({"evidence_sha256": "abc"}, "empreinte SHA-256"),
        ({"identifier": PERSON["email"], "reason": f"affaire {PERSON['email']}"}, "répète l'identifiant"),
    ],
)
def test_a_hold_that_would_keep_nothing_or_for_ever_is_not_placed(
    gateway: Gateway, dpo: Visitor, form: dict[str, str], said: str
) -> None:
    """Each lack is told above the form, what was typed stays in it, and nothing is recorded."""
    answer = dpo.post("/holds/new", {**FORM, **form})
    assert answer.status_code == 400
    assert said in words(answer)
    assert gateway.entries("event_recorded")[-1]["event"] != "hold_placed"


def test_of_the_document_its_hash_is_kept(dpo: Visitor) -> None:
    """The file that is sent is hashed and not kept; the page shows the hash."""
    document = b"%PDF-1.7 ordonnance"
    answer = dpo.client.post(
        "/holds/new", data={"token": dpo.token, **FORM}, files={"evidence": ("ordonnance.pdf", document)}
    )
    assert hashlib.sha256(document).hexdigest() in dpo.get(answer.headers["location"]).text


def test_a_hold_on_one_person_keeps_no_identifier(gateway: Gateway, dpo: Visitor, tmp_path: Path) -> None:
    """The hold keeps what has the person; neither page nor workspace has the identifier."""
    place = placed(dpo, identifier=PERSON["email"])
    pages = tmp_path / "pages"
    pages.mkdir()
    for number, path in enumerate((place, "/holds", "/access", f"/destruction/plans/{WHICH}")):
        (pages / str(number)).write_bytes(dpo.get(path).content)
    assert "une personne" in words(dpo.get(place))
    assert not sweep([pages, gateway.home], PERSON)
    with pytest.raises(RefusedError):
        purge(gateway.workspace, WHICH)


def test_a_lifted_hold_is_not_lifted_again(dpo: Visitor) -> None:
    """Lifting asks for a reason, happens once, and stands in the access log."""
    place = placed(dpo)
    assert dpo.post(f"{place}/lift", {"reason": ""}).status_code == 400
    assert dpo.post(f"{place}/lift", {"reason": "close"}).status_code == 303
    assert dpo.post(f"{place}/lift", {"reason": "close"}).status_code == 400
    assert dpo.get("/access", params={"action": "hold_lifted"}).text.count("suspension de destruction levée") >= 1
    assert dpo.get("/holds/none").status_code == 404
