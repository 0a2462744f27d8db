"""The door of the API: every call passes here before it is carried out.

In order: the token, its owner, its scope, pace, the query, the body, the call, its line in the access log. No cookie is read, so that
no browser can be made to call for someone; what does not exist and what is another party's get the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from math import ceil

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from passerelle.boundary import sealed
from passerelle.errors import PasserelleError, TrailError
from passerelle.store import accounts, api_tokens
from passerelle.store.accounts import Account
from passerelle.store.api_tokens import SCOPES, Token
from passerelle.workspace import Workspace
from portal.render import Lang
from portal.web.api import problems
from portal.web.api.calls import Asked, Call
from portal.web.api.problems import problem
from portal.web.guard import spoken
from portal.web.pace import Pace, place_of
from portal.web.visit import AbsentError

BODY_BYTES = 1 << 20
SLOWEST = 30.0  # seconds for a whole body
FAILURES_A_MINUTE = 30  # tokens that open nothing, from one address
LONGEST_TOKEN = 200  # characters
REALM = 'Bearer realm="passerelle"'


@dataclass(frozen=True, slots=True)
class ApiDoor:
    """Makes the endpoint of a call."""

    workspace: Workspace
    pace: Pace = field(default_factory=Pace)

    def endpoint(self, call: Call) -> Callable[[Request], Awaitable[Response]]:
        """What Starlette calls for ``call``."""

        async def answer(request: Request) -> Response:
            try:
                found = await run_in_threadpool(sealed(self._admitted), call, request)
                if isinstance(found, Response):
                    return found
                body = await _body(request) if call.takes is not None else b""
                return await run_in_threadpool(sealed(_carried_out), found, body)
            except HTTPException as refused:
                return problem(problems.BY_STATUS[refused.status_code], spoken(request))
            except PasserelleError as error:
                return problems.fault(error, spoken(request))

        return answer

    def _admitted(self, call: Call, request: Request) -> Asked | Response:
        """The request with the owner of its token, or why it goes no further."""
        lang = spoken(request)
        who = self._owner(request)
        if who is None:
            return self._unknown(request, lang)
        token, owner = who
        if call.scope not in token.scopes:
            needed = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{call.scope}"'}
            return problem(
                "scope", lang, f"{' '.join(s for s in SCOPES if s in token.scopes)} ≠ {call.scope}", headers=needed
            )
        if (left := self.pace.wait(f"{call.name} {token.id}", call.per_minute)) > 0:
            return problem("often", lang, headers={"Retry-After": str(ceil(left))})
        return Asked(request, self.workspace, call, token, owner, lang)

    def _owner(self, request: Request) -> tuple[Token, Account] | None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(secret) <= LONGEST_TOKEN:
            return None
        now = self.workspace.now()
        with self.workspace.database.read() as connection:
            token = api_tokens.find(connection, secret)
            owner = accounts.by_id(connection, token.account) if token else None
        if token is None or owner is None or not token.is_open(now) or owner.disabled or owner.role != "partner":
            return None
        if api_tokens.is_stale(token, now):
            with self.workspace.database.begin() as connection:
                api_tokens.used(connection, token.id, at=now)
        return token, owner

    def _unknown(self, request: Request, lang: Lang) -> Response:
        """RFC 6750, section 3.1: no word on the fault where no token was given."""
        given = "authorization" in request.headers
        if given and (left := self.pace.wait(f"token {place_of(request)}", FAILURES_A_MINUTE)) > 0:
            return problem("often", lang, headers={"Retry-After": str(ceil(left))})
        return problem(
            "token", lang, headers={"WWW-Authenticate": REALM + (', error="invalid_token"' if given else "")}
        )


def _carried_out(asked: Asked, body: bytes) -> Response:
    call = asked.call
    asked.data = body
    pairs = asked.request.query_params.multi_items()
    if len(dict(pairs)) != len(pairs) or (pairs and call.query is None) or _has_nul(dict(pairs).values()):
        return problem("malformed", asked.lang)
    if _has_nul(asked.request.path_params.values()):
        return problem("absent", asked.lang)
    try:
        if call.query is not None:
            asked.query = call.query.model_validate(dict(pairs))
        if isinstance(call.takes, type):
            asked.body = call.takes.model_validate_json(body)
    except ValidationError as wrong:
        return problem("malformed", asked.lang, _places(wrong))
    try:
        given = call.act(asked)
        asked.insist_logged()
    except AbsentError:
        return problem("absent", asked.lang)
    except TrailError:
        return problem("gateway", asked.lang)
    if isinstance(given, BaseModel):
        return Response(given.model_dump_json(), call.status, media_type="application/json")
    return given


def _has_nul(texts: Iterable[str]) -> bool:
    """PostgreSQL has no text with a NUL: nothing can be found by it."""
    return any("\0" in text for text in texts)


def _places(wrong: ValidationError) -> str:
    """Which declared fields are wrong: neither what was typed in them nor the name of one that there is not."""
    told = wrong.errors(include_input=False, include_url=False, include_context=False)
    known = {str(one["loc"][0]) for one in told if one["loc"] and one["type"] != "extra_forbidden"}
    return ", ".join(sorted(known))


async def _body(request: Request) -> bytes:
    """The body, no longer than ``BODY_BYTES``, and no slower than ``SLOWEST``.

    Raises:
        HTTPException: it is longer (413), slower (408), or broken off (400).
    """
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for block in request.stream():
                body += block
                if len(body) > BODY_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)
