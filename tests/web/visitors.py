"""People who visit the portal of a gateway, in process: each has a browser of its own, signed in or not."""

from __future__ import annotations

import html
import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from httpx2 import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from passerelle.clock import PretendedClock
from passerelle.keys import wrapping
from passerelle.store import accounts, factors
from passerelle.store.accounts import Account
from portal.web.guard import COOKIE, SECURE_COOKIE
from portal.web.signin import codes, passwords
from portal.web.site import site
from tests.gateway import Gateway

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "un mot de passe assez long"
SECRET = bytes(range(20))
TOKEN = re.compile(r'name="token" value="([^"]+)"')


@cache
def kept_password() -> str:
    """PASSWORD as it is kept: computed once."""
    return passwords.hashed(PASSWORD)


@dataclass
class Portal:
    """The portal of ``gateway``; ``secure`` as if over TLS. Other settings of ``site`` in ``settings``."""

    gateway: Gateway
    secure: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def app(self) -> Starlette:
        return site(self.gateway.workspace, secure=self.secure, **self.settings)

    def later(self, much: timedelta) -> None:
        """Let time pass on the gateway's clock."""
        workspace = self.gateway.workspace
        workspace.clock = PretendedClock(workspace.now() + much)

    def account(self, name: str, role: str = "dpo", party: str | None = None) -> Account:
        """The account of that name, added where there is none."""
        workspace = self.gateway.workspace
        with workspace.database.begin() as connection:
            found = accounts.by_name(connection, name)
            return found or accounts.add(connection, name, role, party, by="test", at=workspace.now())

    def armed(self, name: str, role: str = "dpo", party: str | None = None) -> Account:
        """An account with PASSWORD and an app that holds SECRET; no code of the app was used."""
        found, workspace = self.account(name, role, party), self.gateway.workspace
        with workspace.database.begin() as connection:
            factors.invite(connection, found.id, at=workspace.now())
            factors.set_password(connection, found.id, kept_password())
            wrapped = wrapping.wrap(workspace.keys.portal_key, SECRET, f"passerelle/totp/{found.id}")
            factors.set_totp(connection, found.id, wrapped, 0)
            factors.spend_activation(connection, found.id)
        return found

    def stranger(self, browser: str = FIREFOX, address: str = "192.0.2.1") -> Visitor:
        """Someone who has not signed in."""
        base = "https://testserver" if self.secure else "http://testserver"
        client = TestClient(
            self.app, base, headers={"user-agent": browser, "accept-language": "en", "origin": base}, follow_redirects=False, client=(address, 50000),
        )  # fmt: skip
        return Visitor(self, client)

    def visitor(self, role: str, party: str | None = None, name: str | None = None) -> Visitor:
        """Someone of that role who gave both factors just now."""
        found = self.account(name or f"{role} {party or ''}".strip(), role, party)
        one, workspace = self.stranger(), self.gateway.workspace
        with workspace.database.begin() as connection:
            token = accounts.open_session(connection, found, browser=FIREFOX, at=workspace.now())
        one.cookies = {SECURE_COOKIE if self.secure else COOKIE: token}
        return one

    def code(self, steps: int = 0) -> str:
        """What the app with SECRET shows now, or some steps of thirty seconds later."""
        totp = TOTP(SECRET, codes.DIGITS, SHA1(), codes.STEP_SECONDS)  # noqa: S303 -- RFC 6238
        return totp.generate(int(self.gateway.workspace.now().timestamp()) + steps * codes.STEP_SECONDS).decode()


@dataclass
class Visitor:
    """One browser."""

    portal: Portal
    client: TestClient

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self.client.cookies)

    @cookies.setter
    def cookies(self, values: dict[str, str]) -> None:
        self.client.cookies.clear()
        for name, value in values.items():
            self.client.cookies.set(name, value, domain="testserver.local", path="/")

    def get(self, path: str, **more: Any) -> Response:
        """Load a page; a redirect is handed back."""
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, str] | None = None, **more: Any) -> Response:
        """Send a form, with the token of the session."""
        return self.client.post(path, data={"token": self.token, **(data or {})}, **more)

    @property
    def session(self) -> accounts.Session | None:
        """The session of this browser, as the gateway has it."""
        workspace = self.portal.gateway.workspace
        token = self.cookies.get(SECURE_COOKIE if self.portal.secure else COOKIE, "")
        with workspace.database.read() as connection:
            browser = self.client.headers["user-agent"]
            return accounts.session_of(connection, token, browser=browser, at=workspace.now())

    @property
    def token(self) -> str:
        """What every form of this session carries."""
        return self.session.csrf if self.session else ""

    def verifies(self) -> Response:
        """Have the trail verified, and load the page of it until it is done."""
        shown = self.get(self.post("/trail/verify").headers["location"])
        while "refresh" in shown.headers:
            time.sleep(0.02)
            shown = self.get(shown.url.path)
        return shown

    def signs_in(self, name: str, password: str = PASSWORD, code: str | None = None, **more: str) -> Response:
        """Give both factors; the answer to the one that is refused, or to the last."""
        first = self.post("/sign-in", {"name": name, "password": password, **more})
        if first.status_code != 303:
            return first
        return self.post(first.headers["location"], {"code": code or self.portal.code(), **more})


def words(answer: Response) -> str:
    """What a page says, without its marks."""
    text = re.sub(r"<(script|style).*?</\1>", " ", answer.text, flags=re.DOTALL).replace("<wbr>", "")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
