"""The scope matrix of docs/threats.md: every call of the API for every scope, with one's own party's objects and another's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from httpx2 import Response

from passerelle.store.api_tokens import SCOPES
from portal.web.api import every_call
from portal.web.api.calls import Call
from tests.gateway import CSP_FILED, Gateway, two_recipients
from tests.web.objects import OWN_PARTY, Objects, objects_of
from tests.web.programs import Program, program
from tests.web.test_roles import PAGE, PARAMETER
from tests.web.visitors import Portal

NOW = "2025-05-12T10:00:00+02:00"
ROW = re.compile(r"^\| `(GET|POST) (/api/v1\S*)` \| (\w+) \| (\w+) \| (\w+) \|$", re.MULTILINE)
CALLS = every_call()


def named(call: Call) -> str:
    return f"{call.method} {call.path}"


def table() -> dict[str, dict[str, str]]:
    """The matrix as it is written: yes, own, or no."""
    text = PAGE.read_text("utf-8").partition("## Scope matrix")[2]
    return {f"{method} {path}": dict(zip(SCOPES, cells, strict=True)) for method, path, *cells in ROW.findall(text)}


def row(call: Call) -> str:
    """The row that a call lacks, to be read and corrected by whoever adds it."""
    mine = "own" if PARAMETER.search(call.path) else "yes"
    return f"| `{named(call)}` | {' | '.join(mine if scope == call.scope else 'no' for scope in SCOPES)} |"


def test_every_call_has_its_row() -> None:
    """A new call has to say in docs/threats.md which scope it asks for; a row without a call is taken out."""
    rows = table()
    lacking = [row(call) for call in CALLS if named(call) not in rows]
    assert not lacking, "docs/threats.md, Scope matrix:\n" + "\n".join(lacking)
    assert set(rows) == {named(call) for call in CALLS}
    assert {cell for cells in rows.values() for cell in cells.values()} <= {"yes", "own", "no"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of a gateway that has delivered one extract to two partners."""
    made = Gateway.create(tmp_path_factory.mktemp("scopes"), NOW).record(*CSP_FILED).partner(OWN_PARTY)
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, 30))
    yield Portal(made)
    made.workspace.close()


@pytest.fixture(scope="module")
def objects(portal: Portal) -> Objects:
    return objects_of(portal)


@pytest.fixture(scope="module")
def programs(portal: Portal) -> dict[str, Program]:
    """A program of each scope alone."""
    return {scope: program(portal, OWN_PARTY, (scope,)) for scope in SCOPES}


def called(one: Program, call: Call, objects: Objects, *, own: bool) -> Response:
    """The answer to a call on the first partner's own object, or the other's."""
    path = PARAMETER.sub(lambda found: objects.get(found[1], own=own), call.path).removeprefix("/api/v1")
    return one.call(call.method, path)


@pytest.mark.parametrize("call", CALLS, ids=named)
def test_each_scope_goes_where_the_table_says(objects: Objects, programs: dict[str, Program], call: Call) -> None:
    """A token of one scope alone gets in or is told which scope is missing; another party's object is absent."""
    for scope, one in programs.items():
        cell = table()[named(call)][scope]
        answer = called(one, call, objects, own=True)
        if cell == "no":
            assert answer.status_code == 403
            assert f'error="insufficient_scope", scope="{call.scope}"' in answer.headers["www-authenticate"]
            continue
        assert answer.status_code not in {401, 403, 404, 405, 500}, answer.text
        if cell == "own":
            foreign = called(one, call, objects, own=False)
            assert foreign.status_code == 404
            assert foreign.json()["type"] == "urn:passerelle:problem:absent"


@pytest.mark.parametrize("call", CALLS, ids=named)
def test_nothing_is_answered_without_a_token(portal: Portal, objects: Objects, call: Call) -> None:
    """Whatever is asked, without a token that is valid it is refused before anything is looked up."""
    nobody = Program(portal, "passerelle_nobody", "")
    path = PARAMETER.sub(lambda found: objects.get(found[1], own=True), call.path)
    assert nobody.client.request(call.method, path).status_code == 401


def test_absent_and_not_yours_are_one_answer(programs: dict[str, Program]) -> None:
    """Another party's dataset, one that nobody knows, and a path that leads nowhere: the same bytes."""
    one = programs["read"]
    answers = [
        one.get(path) for path in ("/contracts/studies_bmo", "/contracts/nothing", "/nowhere", "/contracts/..%2Fme")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_method_that_is_not_there_is_named(programs: dict[str, Program]) -> None:
    """Another method than those described gets 405 with those that there are."""
    answer = programs["read"].call("DELETE", "/me")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_a_query_that_is_not_understood_is_refused(programs: dict[str, Program]) -> None:
    """A field that the call does not know, one that is given twice, or one out of its range: 400 and its name, not its value."""
    one = programs["read"]
    for query in ("?versoin=1", "?version=1&version=2", "?version=" + "x" * 30):
        answer = one.get(f"/contracts/candidate_pool{query}")
        assert answer.status_code == 400
        assert "xxx" not in answer.text


def test_a_nul_is_no_word(programs: dict[str, Program]) -> None:
    """What PostgreSQL cannot hold as text: 404 in a path, 400 in a query, whatever the database."""
    one = programs["read"]
    for path in ("/parcels/%00", "/sendings/p%00", "/contracts/%00"):
        assert one.get(path).status_code == 404, path
    for query in ("/sendings?after=%00", "/parcels?convention=%00", "/contracts/candidate_pool?version=%00"):
        assert one.get(query).status_code == 400, query


def test_problems_speak_the_callers_language(programs: dict[str, Program]) -> None:
    """French where it is preferred."""
    answer = programs["read"].get("/nowhere", headers={"accept-language": "fr"})
    assert answer.json()["title"].startswith("cela n'existe pas")
    assert answer.headers["content-language"] == "fr"
