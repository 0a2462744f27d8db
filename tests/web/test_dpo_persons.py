"""What a DPO does for one person through the pages: search, letter, objection, erasure, requests, notices; and what stays nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.store import access
from tests.canary import sweep
from tests.gateway import TWO, Gateway, edited, pools, trail_holds, two_recipients
from tests.web.visitors import Portal, Visitor, words

CONVENTION = "two-ministries"
PERSON = {
    "jobseeker_id": "98765432", "email": "quintard.canari@exemple.fr", "last_name": "Quintardcanari",
    "birth_date": "03/02/1990", "first_name": "Zoé",
}  # fmt: skip
NAMED = f"{PERSON['last_name']};{PERSON['first_name']};{PERSON['birth_date']}"
FORM = {"identifier": "98765432", "reason": "demande q-1", "convention": CONVENTION}
CANARIES = {"id": "98765432", "email": PERSON["email"], "name": PERSON["last_name"]}
SEAL = re.compile(r'name="seal" value="(\w+)"')


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered one month with the person to two ministries, and one without."""
    folder = tmp_path_factory.mktemp("persons")
    gateway = pools(folder / "gateway")
    two_recipients(gateway)
    gateway.run(TWO, "2025-04", gateway.write(TWO, 20, seed=1, name="april.csv"))
    gateway.run(TWO, "2025-05", edited(gateway.write(TWO, 20, seed=2, name="may.csv"), {2: PERSON}))
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
    one = Portal(gateway).visitor("dpo")
    one.post("/language", {"lang": "fr"})
    return one


def lines(gateway: Gateway, action: str) -> list[str]:
    """The reasons that the access log has of one action."""
    from passerelle.access import Search, page

    with gateway.workspace.database.read() as connection:
        return [line.reason for line in page(connection, Search(action=action), limit=50)]


def prepared(dpo: Visitor, **more: str) -> str:
    """The seal of the page that shows what would be destroyed."""
    found = SEAL.search(dpo.post("/persons/erasure", {**FORM, **more}).text)
    assert found
    return found[1]


def test_who_received_what_on_a_person(gateway: Gateway, dpo: Visitor) -> None:
    """The page says to whom, when, under which article, which columns; the same rows as CSV; each look logged with its reason."""
    page = words(dpo.post("/persons/received", FORM))
    sent = [one for one in gateway.deliveries(state="delivered") if one.period == "2025-05"]
    assert len(sent) == 2
    assert all(one.id in page for one in sent)
    assert "art. 3 (commun), point 1" in page
    assert "mobility_km" in page
    assert "2025-04" not in page
    table = dpo.post("/persons/received", {**FORM, "format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert all(one.id in table.text for one in sent)
    assert lines(gateway, "person_received") == [FORM["reason"]] * 2


def test_a_weak_key_is_told(dpo: Visitor) -> None:
    """A person found by name and date of birth may be another one: the page says to check the identity."""
    assert "clé faible" not in words(dpo.post("/persons/received", FORM)).partition("Exporter")[0]
    weak = words(dpo.post("/persons/received", {**FORM, "identifier": NAMED}))
    assert "clé faible, deux personnes peuvent la partager" in weak.partition("Exporter")[0]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({**FORM, "reason": ""}, "il faut un motif"),
        ({**FORM, "identifier": ""}, "il faut un identifiant"),
        ({**FORM, "identifier": "pas un identifiant"}, "celui-ci n'en est pas un"),
        ({**FORM, "convention": "nulle-part"}, "convention"),
        ({**FORM, "reason": "demande de 98 76 54 32"}, "le motif répète l'identifiant"),
        ({**FORM, "identifier": NAMED, "reason": "pour M. Quintardcanari"}, "le motif répète l'identifiant"),
    ],
)
def test_a_form_that_cannot_be_followed_says_why_and_shows_nothing(
    gateway: Gateway, dpo: Visitor, form: dict[str, str], said: str
) -> None:
    """Without reason, with a wrong identifier, or with a reason that names the person, nothing is searched and nothing repeated."""
    for path in ("/persons/received", "/persons/letter", "/persons/objection", "/persons/erasure"):
        answer = dpo.post(path, form)
        assert answer.status_code == 400, path
        assert said in words(answer)
        assert not form["identifier"] or form["identifier"] not in answer.text
    assert lines(gateway, "person_letter") == []


def test_the_letter_is_a_page_without_the_person(gateway: Gateway, dpo: Visitor) -> None:
    """The letter of article 15 names each recipient and the data, and has neither name nor identifier."""
    page = words(dpo.post("/persons/letter", FORM))
    assert "article 15 du RGPD" in page
    assert "Transmission du 12 mai 2025" in page
    assert "CNIL" in page
    assert lines(gateway, "person_letter") == [FORM["reason"]]


def test_searches_are_paced(dpo: Visitor) -> None:
    """The eleventh search in a row waits, and the answer says how long."""
    answers = [dpo.post("/persons/received", FORM) for _ in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


def test_an_erasure_shows_first_what_it_would_destroy(gateway: Gateway, dpo: Visitor) -> None:
    """The page names copies and recipients and destroys nothing; confirmed, the copies go, notices open, and the trail holds."""
    before = gateway.kinds()
    page = words(dpo.post("/persons/erasure", FORM))
    assert "Détruit : copies brutes, 1" in page.replace("\xa0", " ")
    assert page.count("Avis à") == 2
    assert gateway.kinds() == before
    done = words(dpo.post("/persons/erasure/done", {**FORM, "seal": prepared(dpo)}))
    assert "Effacement enregistré" in done
    assert done.count("Avis ouvert") == 2
    assert gateway.kinds().count("raw") == before.count("raw") - 1
    assert lines(gateway, "person_erase") == [FORM["reason"]]
    trail_holds(gateway.workspace)


@pytest.mark.parametrize("other", [{"identifier": "12345678"}, {"convention": ""}, {"kind": "email", "identifier": "autre@exemple.fr"}])  # fmt: skip
def test_another_identifier_than_the_page_was_made_for_erases_nobody(
    gateway: Gateway, dpo: Visitor, other: dict[str, str]
) -> None:
    """The confirmation is for one person and one state of the gateway; a forged seal is none."""
    seal, before = prepared(dpo), gateway.kinds()
    assert dpo.post("/persons/erasure/done", {**FORM, **other, "seal": seal}).status_code == 400
    assert dpo.post("/persons/erasure/done", {**FORM, "seal": "0" * 64}).status_code == 400
    assert gateway.kinds() == before
    assert gateway.entries("objection_recorded") == []


def test_an_erasure_that_changed_since_it_was_shown_is_prepared_again(gateway: Gateway, dpo: Visitor) -> None:
    """A hold placed between the page and its confirmation makes another page necessary, which names what is kept."""
    seal = prepared(dpo)
    gateway.record((CONVENTION, "hold_placed", {"id": "h1", "kind": "litigation", "on": "2025-05-02"}))
    assert "la situation a changé" in words(dpo.post("/persons/erasure/done", {**FORM, "seal": seal}))
    assert "Conservé par une suspension" in words(dpo.post("/persons/erasure", FORM))


def test_an_erasure_needs_a_second_factor_just_given(gateway: Gateway, dpo: Visitor) -> None:
    """Ten minutes after the second factor it is asked for before the form is filled, and again when it is sent."""
    gateway.move_to("2025-05-12T06:10:00+02:00")
    assert dpo.get("/persons/erasure").headers["location"].startswith("/sign-in/again")
    answer = dpo.post("/persons/erasure", FORM)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in/again")


def test_a_withdrawal_needs_a_second_factor_just_given(gateway: Gateway, dpo: Visitor) -> None:
    """An objection that is withdrawn lets the person into extracts again: ten minutes on, the factor is asked for and nothing changes."""
    dpo.post("/persons/objection", FORM)
    number = gateway.entries("objection_recorded")[0]["objection"]
    gateway.move_to("2025-05-12T06:10:00+02:00")
    answer = dpo.post("/persons/objections", {"objection": number, "reason": "à sa demande"})
    assert answer.headers["location"].startswith("/sign-in/again")
    assert gateway.entries("objection_withdrawn") == []


def test_an_objection_is_recorded_and_withdrawn(gateway: Gateway, dpo: Visitor) -> None:
    """The person is left out until the objection is withdrawn, with a reason; the list says the number, never who."""
    assert "Opposition enregistrée" in words(dpo.post("/persons/objection", FORM))
    number = gateway.entries("objection_recorded")[0]["objection"]
    assert number in words(dpo.get("/persons/objections"))
    assert dpo.post("/persons/objections", {"objection": number}).status_code == 400
    dpo.post("/persons/objections", {"objection": number, "reason": "à sa demande"})
    assert [one["objection"] for one in gateway.entries("objection_withdrawn")] == [number]
    assert "Aucune opposition" in words(dpo.get("/persons/objections"))


def test_a_request_is_followed_to_its_answer(gateway: Gateway, dpo: Visitor) -> None:
    """A request has a number and a last day with its arithmetic; it is extended once, and answered once."""
    opened = dpo.post(
        "/persons/requests", {"right": "access", "received_on": "2025-05-05", "about": f"{CONVENTION}/mtfp"}
    )
    place = opened.headers["location"]
    page = words(dpo.get(place))
    assert "5 juin 2025" in page
    assert "1182/71" in page or "mois" in page
    dpo.post(f"{place}/extend", {"for": "complexity"})
    assert "5 août 2025" in words(dpo.get(place))
    assert dpo.post(f"{place}/extend", {"for": "number"}).status_code == 400
    dpo.post(f"{place}/answer", {"answer": "granted"})
    assert "satisfaite" in words(dpo.get(place))
    assert dpo.post(f"{place}/answer", {"answer": "refused"}).status_code == 400
    assert [one["answer"] for one in gateway.entries("person_request_answered")] == ["granted"]
    row = dpo.get("/persons/requests", params={"format": "json"}).json()[0]
    assert (row["due"], row["answer"]) == ("2025-08-05", "satisfaite")


def test_a_request_of_a_day_to_come_is_not_taken(gateway: Gateway, dpo: Visitor) -> None:
    """A wrong day, an unknown right and an unknown party are told above the form, and nothing is recorded."""
    for form in (
        {"right": "access", "received_on": "2026-01-01"},
        {"right": "none"},
        {"right": "access", "about": f"{CONVENTION}/x"},
    ):
        assert dpo.post("/persons/requests", form).status_code == 400
    assert gateway.entries("person_request_opened") == []


def test_each_recipient_s_answer_is_noted_once(dpo: Visitor) -> None:
    """A notice says what to write to the recipient and takes its answer once; both notices stand in the list."""
    dpo.post("/persons/erasure/done", {**FORM, "seal": prepared(dpo)})
    rows = dpo.get("/persons/notices", params={"format": "json"}).json()
    assert sorted(row["answer"] for row in rows) == ["attendue", "attendue"]
    place = f"/persons/notices/{rows[0]['notice']}"
    assert "article 19 du RGPD" in words(dpo.get(place))
    dpo.post(place, {"answer": "done"})
    assert dpo.post(place, {"answer": "refused"}).status_code == 400
    left = dpo.get("/persons/notices", params={"format": "json", "state": "open"}).json()
    assert [row["notice"] for row in left] == [rows[1]["notice"]]


def test_the_person_stays_nowhere(gateway: Gateway, dpo: Visitor, tmp_path: Path) -> None:
    """After every act on the person, no page, header, table or file has an identifier in any form."""
    forms = [FORM, {**FORM, "identifier": PERSON["email"]}, {**FORM, "identifier": NAMED}]
    answers = [
        dpo.post(path, form)
        for form in forms
        for path in ("/persons/received", "/persons/letter", "/persons/objection", "/persons/erasure")
    ]
    answers.append(dpo.post("/persons/received", {**FORM, "identifier": "98765432x"}))
    answers.append(dpo.post("/persons/erasure/done", {**FORM, "seal": prepared(dpo)}))
    answers += [dpo.get(path) for path in ("/persons/requests", "/persons/notices", "/persons/objections", "/access")]
    pages = tmp_path / "pages"
    pages.mkdir()
    for number, one in enumerate(answers):
        (pages / str(number)).write_bytes(one.content + str(one.headers).encode() + str(one.url).encode())
    assert not sweep([pages, gateway.home], CANARIES)
    assert sweep([gateway.folder / "sent"], CANARIES)


def test_what_is_typed_into_a_search_is_not_kept_when_it_is_no_id(gateway: Gateway, dpo: Visitor) -> None:
    """A name typed where a convention was expected does not reach the access log."""
    for path in ("/deliveries", "/access", "/persons/notices"):
        dpo.get(path, params={"convention": PERSON["email"]})
    with gateway.workspace.database.read() as connection:
        assert PERSON["email"] not in str(access.lines(connection))
    assert not sweep([gateway.home], {"email": PERSON["email"]})
