"""The role matrix of docs/threats.md: every way into the portal, for every role, with one's own party's objects and another's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import get_args

import pytest

from passerelle.store.accounts import Role
from portal.web import setup
from portal.web.pages import every_way
from portal.web.setup import Setup
from portal.web.ways import Way
from tests.web import provider as told
from tests.web.objects import OWN_PARTY, Objects, objects_of, with_objects
from tests.web.provider import Provider
from tests.web.visitors import Portal, Visitor, words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "threats.md"
WHO = ("anonymous", *get_args(Role))
ROW = re.compile(r"^\| `(GET|POST) (/\S*)` \| (\w+) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$", re.MULTILINE)
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
WAYS = every_way()


def table() -> dict[str, dict[str, str]]:
    """The matrix as it is written: yes, own (of one's own party only), or no."""
    text = PAGE.read_text("utf-8").partition("## Role matrix")[2]
    rows = {f"{method} {path}": dict(zip(WHO, cells, strict=True)) for method, path, *cells in ROW.findall(text)}
    assert len(rows) > 20
    return rows


def named(way: Way) -> str:
    return f"{way.method} {way.path}"


def row(way: Way) -> str:
    """The row that a way lacks, to be read and corrected by whoever adds it."""
    has_object = PARAMETER.search(way.path)
    cells = ["yes" if way.public else "no"]
    for role in get_args(Role):
        yes = "own" if role == "partner" and has_object else "yes"
        cells.append(yes if way.public or role in way.roles else "no")
    return f"| `{named(way)}` | {' | '.join(cells)} |"


def test_every_way_has_its_row() -> None:
    """A new way has to say in docs/threats.md who may take it; a row without a way is taken out."""
    rows = table()
    lacking = [row(way) for way in WAYS if named(way) not in rows]
    assert not lacking, "docs/threats.md, Role matrix:\n" + "\n".join(lacking)
    assert set(rows) == {named(way) for way in WAYS}
    assert len({way.name for way in WAYS}) == len(WAYS), "two ways of one name: a link would lead to the other"
    assert {cell for cells in rows.values() for cell in cells.values()} <= {"yes", "own", "no"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of a gateway that has delivered to two partners, whose other numbers are known to both."""
    made = with_objects(tmp_path_factory.mktemp("roles"))
    known = Provider(lambda: made.workspace.now().timestamp())
    trusted = setup.Provider(known.issuer, told.CLIENT, told.SECRET, "roles", {"dpo": "dpo"}, acr=["eidas2"])
    yield Portal(made, settings={"setup": Setup(told.ORIGIN, provider=trusted)})
    known.close()
    made.workspace.close()


@pytest.fixture(scope="module")
def objects(portal: Portal) -> Objects:
    return objects_of(portal)


def visitor(portal: Portal, who: str) -> Visitor:
    if who == "anonymous":
        return portal.stranger()
    return portal.visitor(who, OWN_PARTY if who == "partner" else None)


def path_of(way: Way, objects: Objects, *, own: bool) -> str:
    """The path of a way with objects in it: the first partner's own, or the other's."""

    def filled(found: re.Match[str]) -> str:
        return objects.get(found[1], own=own)

    return PARAMETER.sub(filled, way.path)


def took(portal: Portal, who: str, way: Way, path: str) -> str:
    """What came of it: in, absent (404), or sent to sign in."""
    one = visitor(portal, who)
    answer = one.get(path) if way.method == "GET" else one.post(path)
    if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?"):
        return "sign-in"
    assert answer.status_code < 500, words(answer)
    return "absent" if answer.status_code == 404 else "in"


# What changes something comes last, so that the rest sees the gateway as it was made.
@pytest.mark.parametrize("way", sorted(WAYS, key=attrgetter("method", "path")), ids=named)
def test_each_role_goes_where_the_table_says(portal: Portal, objects: Objects, way: Way) -> None:
    """Every role, and who has not signed in, gets in or is told that there is no such page, as the table says."""
    cells = table()[named(way)]
    for who in WHO:
        cell = cells[who]
        expected = "in" if cell != "no" else "sign-in" if who == "anonymous" else "absent"
        if expected == "in" and way.method == "POST" and way.name in objects.consuming:
            continue  # its own tests carry it out
        assert took(portal, who, way, path_of(way, objects, own=True)) == expected, who
        if cell == "own":
            assert took(portal, who, way, path_of(way, objects, own=False)) == "absent", f"{who}, of another party"


@pytest.mark.parametrize("way", [way for way in WAYS if way.method == "POST" and not way.public], ids=named)
def test_a_change_needs_its_token_and_our_own_page(portal: Portal, objects: Objects, way: Way) -> None:
    """Without the session's token, with another session's, or from another site, nothing is changed (CSRF)."""
    who = min(way.roles)
    path = path_of(way, objects, own=True)
    one, other = visitor(portal, who), portal.visitor("dpo", name="someone else")
    for token in ("", other.token, "é"):
        assert one.client.post(path, data={"token": token}).status_code in {403, 404}
    for headers in ({"origin": "https://example.org"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):  # fmt: skip
        assert one.post(path, headers=headers).status_code == 404
    assert one.session


def test_absent_and_not_yours_are_one_answer(portal: Portal) -> None:
    """What does not exist, what is another role's and a wrong method get the same page, byte for byte but the token."""
    one = visitor(portal, "engineer")
    found = portal.account("of nobody").id
    answers = [
        one.get(path) for path in ("/nowhere", "/accounts", f"/accounts/{found}", f"/accounts/{'0' * 32}", "/leave")
    ]
    answers.append(one.post("/sign-in/nowhere"))
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r'name="next" value="[^"]*"', "", answer.text) for answer in answers}) == 1


def test_an_administrator_reads_no_data() -> None:
    """The administrator's ways are accounts, settings and one's own account, none of the data."""
    paths = {way.path.split("/")[1] for way in WAYS if "administrator" in way.roles}
    assert paths == {"", "account", "accounts", "language", "leave", "settings", "sign-in"}
