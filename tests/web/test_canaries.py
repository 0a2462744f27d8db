"""Planted values of persons on no page, export or error of the portal that may not show them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.errors import PasserelleError
from portal.web.pages import every_way
from tests.canary import sweep
from tests.gateway import CSP_FILED, Gateway, edited, two_recipients
from tests.web.objects import OWN_PARTY, objects_of
from tests.web.test_roles import PARAMETER, WHO
from tests.web.visitors import Portal

NOW = "2025-05-12T10:00:00+02:00"
GOOD = {
    "last_name": "Quenouillard",
    "first_name": "Zéphyrine",
    "email": "zephyrine.quenouillard@example.org",
    "phone": "0639987268",
}
BAD = {"last_name": "Trucmuche", "first_name": "Héloïse-Gontrane", "email": "heloise.trucmuche.sans-arobase"}
REFUSED = {"email": "petronille.vadrouille.sans-arobase"}
CANARIES = {
    f"{kind} {name}": value
    for kind, row in (("good", GOOD), ("bad", BAD), ("refused", REFUSED))
    for name, value in row.items()
}
# Pages whose purpose is a person's rows, asked for with a reason that is on record, after a second factor.
MAY_SHOW: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of a gateway that delivered one file with canaries, with rejected rows, and refused another."""
    made = Gateway.create(tmp_path_factory.mktemp("canaries"), NOW).record(*CSP_FILED).partner("mtfp")
    which = two_recipients(made)
    source = edited(made.write(which, 200), {3: columns(made, which, GOOD), 7: columns(made, which, BAD)})
    made.run(which, "2025-05", source)
    wrong = made.write(which, 5, name="refused.csv")
    with pytest.raises(PasserelleError):
        made.run(which, "2025-06", edited(wrong, dict.fromkeys(range(5), columns(made, which, REFUSED))))
    yield Portal(made)
    made.workspace.close()


def columns(gateway: Gateway, which: str, row: dict[str, str]) -> dict[str, str]:
    """The values of a row whose columns the dataset has."""
    header = gateway.write(which, 1, name="header.csv").read_bytes().decode("cp1252").split("\r\n")[0].split(";")
    found = {name: value for name, value in row.items() if name in header}
    assert found
    return found


@pytest.mark.parametrize("who", WHO)
def test_no_page_shows_a_person(portal: Portal, who: str, tmp_path: Path) -> None:
    """Every page that a role can load, in both languages and as CSV and JSON, has no planted value in any form."""
    objects, folder = objects_of(portal), tmp_path / "pages"
    folder.mkdir()
    one = portal.stranger() if who == "anonymous" else portal.visitor(who, OWN_PARTY if who == "partner" else None)
    ways = [way for way in every_way() if way.method == "GET" and way.name not in MAY_SHOW]
    for number, way in enumerate(ways):
        path = PARAMETER.sub(lambda found: objects.get(found[1], own=True), way.path)
        for shape in ("", "?format=csv", "?format=json"):
            answer = one.get(path + shape)
            assert answer.status_code < 500
            (folder / f"{number}{shape[-4:].strip('=')}").write_bytes(answer.content + str(answer.headers).encode())
    assert len(list(folder.iterdir())) == 3 * len(ways)
    assert sweep([folder], CANARIES) == []


def test_the_sweep_would_find_them(portal: Portal) -> None:
    """The same sweep finds every canary in the files that the partners sent."""
    found = {finding.canary for finding in sweep([portal.gateway.folder / "sent"], CANARIES)}
    assert found == set(CANARIES)
