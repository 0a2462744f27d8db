"""What a DPO finds, page by page, on a gateway on which exchanges ran."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from passerelle.store.access import lines
from passerelle.store.access_tables import access
from portal.web.listing import EXPORTED_ROWS
from tests.gateway import POOLS, Gateway, pools, two_recipients
from tests.web.visitors import Portal, Visitor, words

MTFP = "mtfp"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that delivered one pool of candidates."""
    made = pools(tmp_path_factory.mktemp("dpo"))
    made.run(POOLS, "2025-05", made.write(POOLS, 40), "france-travail")
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def dpo(gateway: Gateway) -> Visitor:
    """Its DPO, signed in."""
    return Portal(gateway).visitor("dpo")


def actions(gateway: Gateway) -> list[str]:
    with gateway.workspace.database.read() as connection:
        return [line["action"] for line in lines(connection)]


@pytest.mark.parametrize(
    "path", ["/today", "/conventions", "/conventions/csp-ft-2024", "/deliveries", "/destruction", "/trail", "/access"]
)
def test_each_page_is_shown_in_both_languages(dpo: Visitor, path: str) -> None:
    """Each page of the menu is shown in French and in English, and says which it is."""
    for lang in ("fr", "en"):
        dpo.post("/language", {"lang": lang})
        shown = dpo.get(path)
        assert shown.status_code == 200, path
        assert f'<html lang="{lang}">' in shown.text


@pytest.mark.slow
def test_parcels_without_a_receipt_are_counted_beyond_those_that_are_named(tmp_path: Path) -> None:
    """Of six late receipts five are named on /today, and all six are counted."""
    made = pools(tmp_path)
    which = two_recipients(made)
    for period in ("2025-03", "2025-04", "2025-05"):
        made.run(which, period, made.write(which, 20), "france-travail")
    made.move_to("2025-05-25T10:00:00+02:00")
    page = words(Portal(made).visitor("dpo").get("/today"))
    made.workspace.close()
    assert "No receipt 6" in page
    assert "Others: 1" in page
    assert sum(f"{one.id}, {one.recipient}" in page for one in made.deliveries()) == 5


def test_a_delivery_says_who_what_when_and_under_which_article(gateway: Gateway, dpo: Visitor) -> None:
    """The list of deliveries leads to the page of one, with its article and its destroy-by date; both looks are logged."""
    (one,) = gateway.deliveries(state="delivered")
    dpo.post("/language", {"lang": "fr"})
    before = actions(gateway).count("deliveries_read")
    assert one.id in dpo.get("/deliveries", params={"recipient": MTFP}).text
    page = dpo.get(f"/deliveries/{one.id}").text
    assert "art. 3 (commun), point 1" in page
    assert "second verrou jamais ouvert" in page
    assert actions(gateway).count("deliveries_read") == before + 2


def test_a_search_that_finds_nothing_says_what_to_do(dpo: Visitor) -> None:
    """An empty list says so in words."""
    dpo.post("/language", {"lang": "en"})
    assert "No delivery answers this search" in words(dpo.get("/deliveries", params={"recipient": "nobody"}))


def test_a_list_is_exported_as_it_is_searched(gateway: Gateway, dpo: Visitor) -> None:
    """The same rows come as CSV and as JSON."""
    (one,) = gateway.deliveries(state="delivered")
    table = dpo.get("/deliveries", params={"format": "csv"})
    assert table.headers["content-disposition"] == 'attachment; filename="deliveries.csv"'
    assert one.id in table.text
    assert [row["parcel"] for row in dpo.get("/deliveries", params={"format": "json"}).json()] == [one.id]


def test_the_picture_of_a_convention_is_an_svg(dpo: Visitor) -> None:
    """The life of a convention is drawn, without anything that the page's policy forbids."""
    drawn = dpo.get("/conventions/csp-ft-2024/life.svg", params={"from": "2024-01-01", "to": "2028-01-01"})
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert "<style" not in drawn.text
    assert "<script" not in drawn.text


def test_a_search_says_what_there_is(gateway: Gateway, dpo: Visitor) -> None:
    """Beside the fields of a search stand the conventions and parties by id and name; a partner is told of none."""
    page = dpo.get("/deliveries").text
    assert '<option value="csp-ft-2024">' in page
    assert '<option value="mtfp">Ministère' in page
    own = Portal(gateway).visitor("partner", MTFP).get("/parcels").text
    assert "<datalist" not in own
    assert "geiq-amilaura-2024" not in own


def test_a_day_that_is_none_is_told_by_the_name_of_its_field(dpo: Visitor) -> None:
    """The page says which field is wrong as its label does, and leads back to the search."""
    dpo.post("/language", {"lang": "fr"})
    page = dpo.get("/deliveries", params={"since": "hier"})
    assert page.status_code == 400
    assert "Du : il faut une date" in words(page).replace("\xa0", " ")
    assert '<a class="button second" href="/deliveries">' in page.text


def test_dates_in_the_wrong_order_are_told(dpo: Visitor) -> None:
    """A span that ends before it begins gets a page that says what is expected."""
    assert dpo.get("/conventions/csp-ft-2024", params={"from": "2028-01-01", "to": "2024-01-01"}).status_code == 400


def test_an_export_says_what_it_has_no_place_for(gateway: Gateway, dpo: Visitor) -> None:
    """A file has ten thousand rows at most; the answer leads to the rest, and the page says so before."""
    line = {"at": "2025-05-01T00:00:00Z", "actor": "many", "action": "trail_read", "subject": "trail", "reason": "", "outcome": "allowed", "salt": bytes(16)}  # fmt: skip
    with gateway.workspace.database.begin() as connection:
        connection.execute(insert(access), [line] * (EXPORTED_ROWS + 1))
    dpo.post("/language", {"lang": "en"})
    assert "10,000 rows at most in a file" in words(dpo.get("/access", params={"actor": "many"}))
    first = dpo.get("/access", params={"actor": "many", "format": "json"})
    assert len(first.json()) == EXPORTED_ROWS
    rest = dpo.get(first.links["next"]["url"])
    assert len(rest.json()) == 1
    assert "next" not in rest.links


def test_no_sign_that_a_database_refuses_reaches_it(dpo: Visitor) -> None:
    """NUL is left out of what is asked for."""
    assert dpo.get("/deliveries", params={"recipient": f"{MTFP}\0", "format": "json"}).json()


def test_a_span_beyond_the_years_of_conventions_is_told(dpo: Visitor) -> None:
    """No picture is drawn of two thousand years."""
    path = "/conventions/csp-ft-2024/life.svg"
    assert dpo.get(path, params={"from": "0001-01-01", "to": "9999-12-31"}).status_code == 400


def test_the_scope_of_a_breach_asks_for_nothing_that_may_name_a_person(dpo: Visitor) -> None:
    """What is searched stands in the address: no free text is asked for there."""
    assert 'name="reason"' not in dpo.get("/registers/breaches/scope").text


def test_what_is_not_there_has_one_answer(dpo: Visitor) -> None:
    """An unknown convention, parcel or certificate gets the page of what does not exist."""
    for path in ("/conventions/none", "/deliveries/none", "/destruction/none"):
        assert dpo.get(path).status_code == 404
