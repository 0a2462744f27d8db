"""What the API answers when it does not give what was asked: problem details (RFC 9457), in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from passerelle.errors import EvidenceError, OurWayError, PasserelleError, RefusedError, TheirDataError
from portal.faults import told
from portal.render import Lang, Text

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:passerelle:problem:"

TITLES: Mapping[str, tuple[int, Text]] = {
    "malformed": (400, Text("la demande n'a pas la forme voulue", "the request does not have the form that is needed")),
    "token": (401, Text("il faut un jeton valable", "a token that is valid is needed")),
    "scope": (403, Text("le jeton ne donne pas ce droit", "the token does not give this right")),
    "absent": (404, Text("cela n'existe pas, ou n'est pas à vous", "there is no such thing, or it is not yours")),
    "method": (405, Text("cette méthode n'existe pas ici", "there is no such method here")),
    "slow": (408, Text("l'envoi a duré trop longtemps", "sending took too long")),
    "refused": (409, Text("refusé", "refused")),
    "size": (413, Text("ce qui a été envoyé dépasse la limite", "what was sent is over the limit")),
    "data": (422, Text("ce qui a été envoyé n'est pas tel qu'annoncé", "what was sent is not what was announced")),
    "often": (429, Text("trop de demandes à la suite", "too many requests in a row")),
    "gateway": (500, Text("la passerelle n'a pas pu", "the gateway could not")),
}
BY_STATUS = {status: kind for kind, (status, _) in TITLES.items()}


class Problem(BaseModel):
    """RFC 9457, section 3.1; ``hint`` says what to do."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(pattern=f"^{TYPE}[a-z]+$")
    title: str
    status: int
    detail: str | None = None
    hint: str | None = None


def problem(
    kind: str, lang: Lang, detail: str | None = None, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """One of the answers of ``TITLES``."""
    status, title = TITLES[kind]
    body = Problem(type=TYPE + kind, title=getattr(title, lang), status=status, detail=detail, hint=hint)
    sent = {"Content-Language": lang, **(headers or {})}
    return Response(body.model_dump_json(exclude_none=True), status, sent, MEDIA_TYPE)


def fault(error: PasserelleError, lang: Lang) -> Response:
    """What went wrong, by who must act."""
    kinds = ((TheirDataError, "data"), (EvidenceError, "data"), (RefusedError, "refused"), (OurWayError, "gateway"))
    kind = next((kind for family, kind in kinds if isinstance(error, family)), "malformed")
    hint = error.hint_fr or error.hint if lang == "fr" else error.hint
    return problem(kind, lang, told(error, lang), hint)
