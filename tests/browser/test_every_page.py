"""Every page of every role, in French: axe-core finds nothing, nothing sticks out at 360 px and at 200 %, and a picture is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # no stubs in the wheel
from playwright.sync_api import Error, Page, ViewportSize

from passerelle.errors import ContractError
from portal.web.pages import every_way
from portal.web.ways import EVERYONE, Way
from tests.browser.conftest import WIDE, People
from tests.browser.driving import Person, Served, serving
from tests.gateway import TWO
from tests.web.objects import OWN_PARTY, Objects, objects_of, with_objects
from tests.web.test_roles import PARAMETER, WHO

NARROW: ViewportSize = {"width": 360, "height": 740}
ZOOMED: ViewportSize = {"width": 640, "height": 400}  # 640: 1,280 px at 200 %
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
NO_PAGES = {"start", "run.page"}  # leads elsewhere; a report that has a page of its own and no portal around it
SMALLEST: ViewportSize = {"width": 320, "height": 640}  # WCAG 2.2, 1.4.10
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"  # 1.4.12
)
SPREAD = """(rules) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rules); document.adoptedStyleSheets = [sheet]; }"""
# Ids that stand twice, headings that leave out a level, boxes too small for a finger (2.5.8): what axe-core does not tell.
UNTIDY = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((one) => +one.tagName[1]);
  const boxes = [...document.querySelectorAll("input:not([type=hidden]), select, button, .button")].filter((one) => one.getClientRects().length);
  return [
    ...ids.filter((id, place) => ids.indexOf(id) !== place).map((id) => `twice: ${id}`),
    ...levels.filter((level, place) => level > (levels[place - 1] ?? 0) + 1).map((level) => `heading: h${level}`),
    ...boxes.filter((one) => { const box = one.getBoundingClientRect(); return box.width < 24 || box.height < 24; }).map((one) => `small: ${one.outerHTML.slice(0, 120)}`),
  ];
}"""
# What sticks out to the right of the window; what scrolls in a region of its own does not.
STICKS_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const scrolls = (one) => one && (/auto|scroll|hidden/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  return [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > wide + 1
    && !scrolls(one.parentElement)).slice(0, 5).map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The portal of a gateway that delivered, destroyed and refused."""
    made = with_objects(tmp_path_factory.mktemp("pages"))
    with pytest.raises(ContractError):
        made.run(TWO, "2025-06", made.write(TWO, 100, 0.5, seed=1, name="bad.csv"))
    with serving(made) as served:
        yield served
    made.workspace.close()


@pytest.fixture(scope="module")
def objects(served: Served) -> Objects:
    return objects_of(served.portal)


def pages_of(who: str) -> list[Way]:
    """The ways that show a page to a role; those of every role are looked at once, as a partner."""
    if who == "anonymous":
        return [way for way in every_way() if way.method == "GET" and way.public]
    return [
        way
        for way in every_way()
        if way.method == "GET" and who in way.roles and (who == "partner" or way.roles != EVERYONE)
    ]


def faults(page: Page) -> list[str]:
    """What axe-core finds."""
    found: list[dict[str, Any]] = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def is_page(one: Person, path: str) -> bool:
    """Open ``path``; whether it is a page of the portal and no file."""
    try:
        answer = one.page.goto(f"{one.served.address}{path}")
    except Error as fault:
        assert "Download is starting" in str(fault)  # noqa: PT017 - what else fails is no file
        return False
    return answer is not None and answer.headers["content-type"].startswith("text/html")


def looked_at(one: Person, name: str) -> list[str]:
    """What is wrong with the page that is open, at each width; its pictures are kept."""
    found = faults(one.page)
    one.picture(name)
    for width in (ZOOMED, NARROW):
        one.page.set_viewport_size(width)
        found += [f"sticks out at {width['width']} px: {html}" for html in one.page.evaluate(STICKS_OUT)]
    one.picture(f"{name}-360")
    found += one.page.evaluate(UNTIDY)
    one.page.set_viewport_size(SMALLEST)
    one.page.evaluate(SPREAD, SPACED)
    found += [f"sticks out at 320 px, spaced: {html}" for html in one.page.evaluate(STICKS_OUT)]
    one.page.set_viewport_size(WIDE)
    return found


@pytest.mark.parametrize("who", WHO)
def test_every_page_is_accessible_and_fits(served: Served, objects: Objects, people: People, who: str) -> None:
    """On each page that a role can load axe-core finds nothing, and nothing sticks out at 360 px or at 200 %."""
    one, found, seen = people(served), dict[str, list[str]](), 0
    one.watch.refusals = {400, 401, 404}  # 400: verdicts that there are not yet
    if who != "anonymous":
        one.enter(who, OWN_PARTY if who == "partner" else None)
    for way in pages_of(who):
        path = PARAMETER.sub(lambda match: objects.get(match[1], own=True), way.path)
        if not is_page(one, path) or way.name in NO_PAGES:
            continue
        seen += 1
        name = re.sub(r"\W+", "-", f"{who} {way.name}")
        if wrong := looked_at(one, name):
            found[path] = wrong
    assert seen
    assert found == {}


def test_pages_of_faults_are_accessible_and_fit(served: Served, people: People) -> None:
    """So is the page of what does not exist, signed in or not."""
    for who in ("anonymous", "engineer"):
        one = people(served)
        one.watch.refusals = {404}
        if who != "anonymous":
            one.enter(who)
        one.open("/nowhere")
        assert looked_at(one, f"{who}-absent") == []
