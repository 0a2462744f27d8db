"""The portal as an ASGI application: its ways, its headers, its own files; nothing comes from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passerelle.workspace import Workspace
from portal.web.api import every_call
from portal.web.api.calls import ROOT
from portal.web.api.door import ApiDoor
from portal.web.api.problems import BY_STATUS, problem
from portal.web.arriving import Slots
from portal.web.guard import Door, absent, spoken, unread
from portal.web.looks import STATIC
from portal.web.menu import Menu
from portal.web.pages import every_way
from portal.web.setup import Setup
from portal.web.signin.provider import Client
from portal.web.verifying import Verifications
from portal.web.ways import Way

# Content-Security-Policy level 3; no inline script or style, nothing from elsewhere, no frame around us.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"


class Headers:
    """Adds the headers that every answer carries; pages are kept in no cache."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        always = {**HEADERS, **({"strict-transport-security": HSTS} if secure else {})}
        self.always = [(key.encode(), value.encode()) for key, value in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {key.lower() for key, _ in message["headers"]}
                extra = [(key, value) for key, value in self.always if key not in names]
                if b"cache-control" not in names and not scope["path"].startswith("/static/"):
                    extra.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self.app(scope, receive, with_headers)


def site(
    workspace: Workspace, *, secure: bool = False, ways: Sequence[Way] | None = None, setup: Setup | None = None
) -> Starlette:
    """The portal of ``workspace``; ``secure`` when it is reached over TLS, ``ways`` other than all of them for a test of the door.

    With a ``setup`` the portal answers under the names in it only; without one, in a test, under any.
    """
    chosen = every_way() if ways is None else ways
    door = Door(workspace, Menu(chosen), secure, setup or Setup())
    routes = [Route(way.path, door.endpoint(way), methods=[way.method], name=way.name) for way in chosen]
    api = ApiDoor(workspace)
    routes += [
        Route(call.path, api.endpoint(call), methods=[call.method], name=f"api.{call.name}") for call in every_call()
    ]
    hosts = [Middleware(TrustedHostMiddleware, allowed_hosts=sorted(setup.hosts), www_redirect=False)] if setup else []
    app = Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=[Middleware(Headers, secure=secure), *hosts],
        exception_handlers={HTTPException: _lost(door)},
    )
    app.state.door = door
    app.state.slots = Slots()
    app.state.verifications = Verifications()
    app.state.provider = _provider(door.setup)
    return app


def _provider(setup: Setup) -> Client | None:
    return Client(setup.provider, setup.origin) if setup.provider and setup.origin else None


def _lost(door: Door) -> Callable[[Request, Exception], Awaitable[Response]]:
    """No route, or not this method there: the same answer as for what is not the visitor's. A form that was not read says why."""

    async def lost(request: Request, fault: Exception) -> Response:
        status = fault.status_code if isinstance(fault, HTTPException) else 404
        if request.url.path.startswith(f"{ROOT}/"):
            headers = fault.headers if isinstance(fault, HTTPException) else None
            return problem(BY_STATUS.get(status, "malformed"), spoken(request), headers=headers)
        said = absent if status in {404, 405} else partial(unread, status=status)
        return await door.endpoint(Way("absent", "/absent", said, public=True))(request)

    return lost
