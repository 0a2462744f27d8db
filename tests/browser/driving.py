"""A portal that listens on the loopback, and people who drive it with a real browser; whatever a page asks for is written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from passerelle.store import accounts
from portal.web.guard import COOKIE
from portal.web.setup import Setup
from portal.web.signin import codes
from portal.web.site import site
from tests.gateway import Gateway
from tests.web.visitors import Portal

HOST = "localhost"
# Chromium's own traffic is switched off, and every name but ours leads nowhere: what works here works with the network cut.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=fr-FR",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}, EXCLUDE 127.0.0.1",
)  # fmt: skip
READY_SECONDS = 20.0
CODE_STEP = timedelta(seconds=codes.STEP_SECONDS)


@dataclass
class Served:
    """The portal of ``gateway`` at ``address``."""

    gateway: Gateway
    address: str

    @property
    def portal(self) -> Portal:
        """The same gateway's accounts, without a browser."""
        return Portal(self.gateway)

    def later(self, much: timedelta = CODE_STEP) -> None:
        """Let time pass on the gateway's clock: by default as long as a one-time code lasts."""
        self.portal.later(much)

    def code(self, letters: str) -> str:
        """What an app shows now that was given the secret written as ``letters``."""
        secret = _from_letters(letters)
        now = int(self.gateway.workspace.now().timestamp())
        return TOTP(secret, codes.DIGITS, SHA1(), codes.STEP_SECONDS).generate(now).decode()  # noqa: S303 -- RFC 6238

    def session(self, role: str, party: str | None = None, *, browser: str) -> str:
        """The token of someone of that role who gave both factors just now in ``browser``."""
        found = self.portal.account(f"{role} {party or ''}".strip(), role, party)
        with self.gateway.workspace.database.begin() as connection:
            token = accounts.open_session(connection, found, browser=browser, at=self.gateway.workspace.now())
            key = accounts.session_of(connection, token, browser=browser, at=self.gateway.workspace.now())
            assert key
            accounts.speak(connection, key.key, "fr")
        return token


def _from_letters(letters: str) -> bytes:
    import base64

    text = letters.replace(" ", "")
    return base64.b32decode(text + "=" * (-len(text) % 8))


@contextmanager
def serving(gateway: Gateway, setup: Setup | None = None) -> Iterator[Served]:
    """The portal of ``gateway``, on a free port of the loopback, as ``passerelle serve`` opens it."""
    app = site(gateway.workspace, setup=setup or Setup())
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, http="h11", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + READY_SECONDS
    while not server.started:
        assert thread.is_alive(), "the portal did not start"
        assert time.monotonic() < limit, "the portal did not start in time"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(gateway, f"http://{HOST}:{port}")
    finally:
        server.should_exit = True
        thread.join(READY_SECONDS)
        assert not thread.is_alive()


@dataclass
class Watch:
    """What the pages of one browser asked for and complained of. ``refusals``: the statuses of pages that are asked for on purpose."""

    ours: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)

    def follow(self, context: BrowserContext) -> None:
        """Write down from now on what each page of ``context`` does."""
        context.on("request", self._asks)
        context.on("page", self._opens)

    def _opens(self, page: Page) -> None:
        page.on("console", self._says)
        page.on("pageerror", lambda fault: self.complaints.append(f"script: {fault}"))

    def _asks(self, request: Request) -> None:
        self.asked.append(request.url)

    def _says(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status} " in message.text for status in self.refusals)
        if message.type in {"error", "warning"} and not expected:
            self.complaints.append(f"{message.type}: {message.text}")

    @property
    def outside(self) -> list[str]:
        """What was asked for elsewhere."""
        return [url for url in self.asked if urlsplit(url).scheme not in {"data", "blob"} and not self._is_ours(url)]

    def _is_ours(self, url: str) -> bool:
        return url == self.ours or url.startswith(f"{self.ours}/")


@dataclass
class Person:
    """Someone before a browser of their own, in French unless it is told otherwise."""

    served: Served
    context: BrowserContext
    page: Page
    watch: Watch
    pictures: Path

    def open(self, path: str) -> Page:
        """Load a page of the portal."""
        self.page.goto(f"{self.served.address}{path}")
        return self.page

    def enter(self, role: str, party: str | None = None) -> Page:
        """Be signed in as that role, without the pages that sign in."""
        agent = self.page.evaluate("navigator.userAgent")
        token = self.served.session(role, party, browser=agent)
        self.context.add_cookies([{"name": COOKIE, "value": token, "url": self.served.address}])
        return self.open("/")

    def picture(self, name: str) -> None:
        """Keep a picture of the whole page, to be looked at."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)

    def assert_quiet(self) -> None:
        """Nothing was fetched from outside; no script failed, nothing broke the policy of the pages."""
        assert self.watch.outside == []
        assert self.watch.complaints == []
