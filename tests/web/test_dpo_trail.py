"""The button that verifies the trail now: it shows how far it has come, and ends on what holds or on what was altered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete
from starlette.applications import Starlette

from passerelle.store.tables import delivery
from passerelle.trail.tables import trail_entry
from portal.web.verifying import Verifications
from tests.gateway import POOLS, Gateway, pools
from tests.web.visitors import Portal, Visitor, words

PAGE = "/trail/verification"


class Aside(list[Callable[[], None]]):
    """Work that is done when the test says so."""

    def done(self) -> None:
        while self:
            self.pop()()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that delivered once."""
    made = pools(tmp_path_factory.mktemp("trail"))
    made.run(POOLS, "2025-05", made.write(POOLS, 10), "france-travail")
    yield made
    made.workspace.close()


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    return Portal(gateway)


@pytest.fixture
def aside(portal: Portal) -> Aside:
    """What the portal verifies waits for the test."""
    waiting = Aside()
    app: Starlette = portal.app
    app.state.verifications = Verifications(waiting.append)
    return waiting


@pytest.fixture
def dpo(portal: Portal) -> Visitor:
    one = portal.visitor("dpo")
    one.post("/language", {"lang": "en"})
    return one


def test_the_page_says_how_far_it_has_come_and_then_what_holds(dpo: Visitor, aside: Aside, gateway: Gateway) -> None:
    """While it runs the page is loaded again each second, without a script; once it has ended it is not."""
    assert dpo.post("/trail/verify").headers["location"] == PAGE
    with gateway.workspace.database.read() as connection:
        size = gateway.workspace.ledger.size(connection)
    running = dpo.get(PAGE)
    assert running.headers["refresh"] == "1"
    assert f'<progress id="verified" value="0" max="{size}">' in running.text
    assert f"0 entries verified of {size}" in words(running)
    aside.done()
    ended = dpo.get(PAGE)
    assert "refresh" not in ended.headers
    assert "The trail is whole" in words(ended)
    assert f"entries {size}" in words(ended)


def test_how_many_are_verified_is_told_while_it_runs(dpo: Visitor, aside: Aside, portal: Portal) -> None:
    """The count on the page is the one that the verifier gave last."""
    dpo.post("/trail/verify")
    found = portal.app.state.verifications.of(dpo.session.account.id if dpo.session else "")
    found.verified = 3
    assert 'value="3"' in dpo.get(PAGE).text
    aside.done()


def test_one_runs_at_a_time_and_its_result_is_for_who_asked(portal: Portal, dpo: Visitor, aside: Aside) -> None:
    """Asking twice begins nothing twice; another officer is told to wait, and never sees what was not asked for."""
    other = portal.visitor("dpo", name="another officer")
    dpo.post("/trail/verify")
    assert dpo.post("/trail/verify").headers["location"] == PAGE
    assert len(aside) == 1
    assert other.post("/trail/verify").status_code == 409
    aside.done()
    assert other.get(PAGE).headers["location"] == "/trail"
    assert other.post("/trail/verify").status_code == 303
    aside.done()
    assert "The trail is whole" in words(other.get(PAGE))


def test_a_portal_that_starts_again_has_nothing_stuck(gateway: Gateway, dpo: Visitor, aside: Aside) -> None:
    """What was running is forgotten: the page leads back to the trail, and the button works."""
    dpo.post("/trail/verify")
    again = Portal(gateway).visitor("dpo")
    assert again.get(PAGE).headers["location"] == "/trail"
    assert again.post("/trail/verify").status_code == 303
    assert len(aside) == 1


def test_it_runs_beside_the_portal(dpo: Visitor) -> None:
    """On a thread of its own, the page comes to the result by being loaded again."""
    assert "The trail is whole" in words(dpo.verifies())


@pytest.mark.parametrize(
    ("table", "said"), [(delivery, "tables disagree"), (trail_entry, "missing")], ids=["tables", "trail"]
)
def test_what_was_altered_is_told(tmp_path_factory: pytest.TempPathFactory, table: object, said: str) -> None:
    """A row taken out of the tables, or an entry of the trail, is named on the page, as the command names it."""
    made = pools(tmp_path_factory.mktemp("altered"))
    made.run(POOLS, "2025-05", made.write(POOLS, 10), "france-travail")
    portal, waiting = Portal(made), Aside()
    portal.app.state.verifications = Verifications(waiting.append)
    one = portal.visitor("dpo")
    one.post("/language", {"lang": "en"})
    one.post("/trail/verify")
    with made.workspace.database.begin() as connection:
        if table is trail_entry:
            connection.execute(delete(trail_entry).where(trail_entry.c.index == 2))
        else:
            connection.execute(delete(delivery))
    waiting.done()
    shown = words(one.get(PAGE))
    assert "The verification failed" in shown
    assert said in shown
    made.workspace.close()
