"""A partner's programs that call the API, in process, each with a token of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from passerelle.store import api_tokens
from passerelle.store.api_tokens import SCOPES
from tests.web.visitors import Portal

_NUMBERS = itertools.count()


@dataclass
class Program:
    """One program: its token and whose it is."""

    portal: Portal
    token: str
    account: str

    @property
    def client(self) -> TestClient:
        headers = {"accept-language": "en", "user-agent": "curl/8.0"}
        return TestClient(self.portal.app, headers=headers, follow_redirects=False, client=("192.0.2.7", 50000))

    def get(self, path: str, **more: Any) -> Response:
        """Call a path under /api/v1 with the token."""
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> Response:
        """Send something under /api/v1 with the token."""
        return self.call("POST", path, **more)

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
        """Any method."""
        sent = {"authorization": f"Bearer {self.token}", **(headers or {})}
        return self.client.request(method, f"/api/v1{path}", headers=sent, **more)


def program(
    portal: Portal, party: str = "mtfp", scopes: Sequence[str] = SCOPES, life: timedelta = timedelta(days=30)
) -> Program:
    """A program of a partner's, with a token of these scopes made now, of an account of its own."""
    workspace = portal.gateway.workspace
    owner = portal.account(f"program {next(_NUMBERS)}", "partner", party)
    with workspace.database.begin() as connection:
        _, secret = api_tokens.make(connection, owner.id, "essai", scopes, life, at=workspace.now())
    return Program(portal, secret, owner.id)
