"""What tests in a real browser ask for: Debian's chromium, and people who sit before it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.driving import FLAGS, Person, Served, Watch

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDE: ViewportSize = {"width": 1280, "height": 800}
People = Callable[..., Person]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's chromium: skip without it, fail without it in CI."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is not None:
        return found
    message = "chromium is missing: scripts/stock-tools installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for the tests of a module: while it lives, no other module of this process can have an event loop."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def people(browser: Browser, root: Path) -> Iterator[People]:
    """Makes someone before a browser at a portal; when the test ends, none of them may have fetched anything from outside, or met a fault."""
    made: list[Person] = []

    def someone(served: Served, **options: Any) -> Person:
        context = browser.new_context(
            **{"locale": "fr-FR", "timezone_id": "Europe/Paris", "viewport": WIDE, "accept_downloads": True, **options}
        )
        watch = Watch(served.address)
        watch.follow(context)
        context.set_default_timeout(10_000)
        person = Person(served, context, context.new_page(), watch, root / "build" / "pages")
        made.append(person)
        return person

    yield someone
    for person in made:
        person.context.close()
        person.assert_quiet()
