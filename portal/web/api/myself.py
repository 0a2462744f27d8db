"""Who a token speaks for."""

from __future__ import annotations

from passerelle.store.api_tokens import SCOPES
from portal.render import Text
from portal.web.api.calls import ROOT, Asked, Call
from portal.web.api.models import Myself


def show(asked: Asked) -> Myself:
    """The party, the token's name, its scopes and its end."""
    scopes = [scope for scope in SCOPES if scope in asked.token.scopes]
    return Myself(party=asked.party, token=asked.token.name, scopes=scopes, expires_at=asked.token.expires_at)


CALLS = (
    Call("myself", f"{ROOT}/me", show, "read", Myself, Text("Pour qui ce jeton parle, et jusqu'à quand", "Who this token speaks for, and until when")),
)  # fmt: skip
