"""One person: who received what on them, the letter of article 15, an objection. The identifier comes by POST and is kept nowhere.

It is in no address, no log, no error and no answer: each act asks for it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from passerelle.access import Look, looking
from passerelle.errors import RefusedError, UsageError
from passerelle.persons import SCHEMES, Answer, Received, bearing, kinds_of, received, record_objection
from passerelle.persons.letter import letter as letter_of
from passerelle.persons.letter import parts_of
from portal.faults import told
from portal.meanings import columns_of, meanings
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.pages.asked import insist_unnamed, names
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from retention.scope import kept_by_holds

MAX_IDENTIFIER = 1000  # characters
LOOKS_A_MINUTE = 10
KINDS = (
    ("nir", Text("numéro de sécurité sociale (NIR)", "French social security number (NIR)")),
    ("avs", Text("numéro AVS", "Swiss AHV number")),
    ("france-travail", Text("identifiant France Travail", "France Travail number")),
    ("email", Text("adresse électronique", "e-mail address")),
    ("trainee", Text("numéro de stagiaire d'un organisme", "a training provider's own number")),
    ("name-birth", Text("nom, prénom et date de naissance (clé faible)", "last name, first name, date of birth (weak key)")),
)  # fmt: skip
assert {kind for kind, _ in KINDS} == set(SCHEMES)  # noqa: S101 - a new kind has its words

COLUMNS = (
    Column("delivered_at", Text("remis le", "delivered"), "moment"),
    Column("recipient", Text("destinataire", "recipient")),
    Column("exchange", Text("échange", "exchange")),
    Column("period", Text("période", "period")),
    Column("article", Text("article", "article")),
    Column("purpose", Text("finalité", "purpose"), "words"),
    Column("columns", Text("données", "data")),
    Column("opened", Text("clé remise", "key handed over"), "moment"),
    Column("receipted", Text("accusé de réception", "receipt"), "moment"),
    Column("became", Text("depuis", "since"), "words"),
    Column("parcel", Text("colis", "parcel"), "code"),
)

EXPORTED = frozenset({"purpose", "became"})  # too much for a page; the delivery's own page has both


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form on a person says; ``identifier`` is in no ``repr``."""

    identifier: str = field(repr=False)
    kind: str | None
    convention: str | None
    reason: str

    @classmethod
    def of(cls, visit: Visit) -> Asked:
        """The form of a visit.

        Raises:
            UsageError: no identifier, no reason, or a reason that repeats the identifier: it would stay in the access log.
        """
        identifier, reason = visit.given("identifier"), visit.given("reason")
        if not identifier or len(identifier) > MAX_IDENTIFIER:
            raise UsageError("expected one identifier", fr="il faut un identifiant")
        if not reason:
            raise UsageError(
                "expected a reason: it goes into the access log", fr="il faut un motif : il entre au journal des accès"
            )
        insist_unnamed(reason, identifier)
        return cls(identifier, visit.given("kind") or None, visit.given("convention") or None, reason)


def show(visit: Visit) -> Response:
    """The form."""
    return form(visit)


def form(visit: Visit, fault: UsageError | RefusedError | None = None, *, only: str | None = None) -> Response:
    """The form, with what went wrong; the identifier has to be typed again. ``only``: for one act."""
    words = Text(told(fault, "fr"), told(fault, "en")) if fault else None
    reason = visit.given("reason")
    visit.shows_nothing()
    return visit.page(
        "dpo/persons.html.jinja", 400 if fault else 200, fault=words, only=only, kinds=KINDS,
        conventions=conventions(visit), reason="" if names(reason, visit.given("identifier")) else reason,
    )  # fmt: skip


def conventions(visit: Visit) -> list[tuple[str, Text]]:
    """The conventions, for a choice."""
    return [(one, Text(one, one)) for one in visit.workspace.convention_ids()]


def found(visit: Visit) -> Response:
    """Which deliveries concern the person: to whom, when, which columns, under which article; logged with the reason."""
    try:
        sought = Asked.of(visit)
        answer = searched(visit, sought, "person_received")
    except (UsageError, RefusedError) as fault:
        return form(visit, fault)
    listing = Listing(
        Text("Qui a reçu quoi sur cette personne", "Who received what on this person"),
        Text(
            "D'après l'index à clé des remises ; l'identifiant saisi n'est conservé nulle part.",
            "By the keyed index of deliveries; the identifier that was typed is kept nowhere.",
        ),
        COLUMNS if visit.export else [one for one in COLUMNS if one.key not in EXPORTED],
        [_row(visit, one) for one in answer.deliveries],
        Text(
            "Aucune remise connue ne concerne cette personne. Vérifiez l'identifiant, ou essayez-en un autre : courriel, NIR, nom et date de naissance.",
            "No known delivery concerns this person. Check the identifier, or try another one: e-mail, NIR, name and date of birth.",
        ),
    )  # fmt: skip
    return visit.listing(listing, "dpo/received.html.jinja", answer=answer, asked=sought, kinds=KINDS, conventions=conventions(visit))  # fmt: skip


def letter(visit: Visit) -> Response:
    """The letter of article 15 as a page to print, without the person's name or identifier; logged with the reason."""
    try:
        sought = Asked.of(visit)
        with (
            looking(visit.workspace, _look(visit, sought, "person_letter")),
            visit.workspace.database.read() as connection,
        ):
            answer = received(
                visit.workspace, connection, sought.identifier, kind=sought.kind, convention=sought.convention
            )
            kept = kept_by_holds(visit.workspace, connection, {one.convention for one in answer.deliveries})
            data = letter_of(visit.workspace, connection, answer, meanings(visit.workspace, answer), kept)
    except (UsageError, RefusedError) as fault:
        return form(visit, fault)
    visit.logged.add("person_letter")
    parts = [(*text.partition("\n")[::2], facts) for text, facts in parts_of(data, visit.lang)]
    return visit.page("dpo/letter.html.jinja", parts=parts)


def object_to(visit: Visit) -> Response:
    """Record that the person objects: no later extract of the convention has them."""
    try:
        sought = Asked.of(visit)
        done = _objections(visit, sought)
    except (UsageError, RefusedError) as fault:
        return form(visit, fault)
    visit.logged.add("person_object")
    return visit.page("dpo/objected.html.jinja", convention=sought.convention, done=done)


def _objections(visit: Visit, sought: Asked) -> list[Mapping[str, Any]]:
    """One objection for each kind that the identifier may be of and that a file under the convention has."""
    convention = sought.convention
    if convention is None:
        raise UsageError("expected the convention objected to", fr="il faut la convention visée par l'opposition")
    text = visit.workspace.convention(convention)
    kinds = kinds_of(sought.identifier, sought.kind)
    where = {kind: bearing(text, kind, None, columns_of) for kind in kinds}
    useful = [kind for kind in kinds if where[kind].recognised] or list(kinds[:1])
    by, reason = visit.account.name, sought.reason
    return [
        {
            "recorded": record_objection(visit.workspace, convention, kind, sought.identifier, by=by, reason=reason),
            "where": where[kind], "kind": dict(KINDS)[kind],
        }
        for kind in useful
    ]  # fmt: skip


def searched(visit: Visit, sought: Asked, action: str) -> Answer:
    """What was received on the person, once the look is in the access log."""
    look = _look(visit, sought, action)
    with looking(visit.workspace, look), visit.workspace.database.read() as connection:
        answer = received(
            visit.workspace, connection, sought.identifier, kind=sought.kind, convention=sought.convention
        )
    visit.logged.add(action)
    return answer


def _look(visit: Visit, sought: Asked, action: str) -> Look:
    return Look(visit.account.name, action, "person", sought.reason, convention=sought.convention, count=1)


def _row(visit: Visit, one: Received) -> dict[str, Any]:
    became = None
    if one.superseded_by:
        became = Text(f"remplacé par {one.superseded_by}", f"superseded by {one.superseded_by}")
    elif one.resent_as:
        became = Text(f"renvoyé sous {one.resent_as}", f"sent again as {one.resent_as}")
    elif one.purged:
        became = Text("nos copies sont détruites", "our copies are destroyed")
    return {
        "delivered_at": one.delivered_at, "recipient": one.recipient_name, "exchange": f"{one.convention}/{one.exchange}",
        "period": one.period, "article": one.article, "purpose": Text(**one.purpose) if one.purpose else None,
        "columns": ", ".join(one.columns), "opened": one.opened_at, "receipted": one.receipted_at, "became": became,
        "parcel": one.delivery, "parcel_href": visit.href("delivery", parcel=one.delivery),
    }  # fmt: skip


WAYS = (
    Way("persons", "/persons", show, DPO, navigates=("Personnes", "Persons")),
    Way(
        "persons.received", "/persons/received", found, DPO, "POST", logs="person_received", per_minute=LOOKS_A_MINUTE
    ),
    Way("persons.letter", "/persons/letter", letter, DPO, "POST", logs="person_letter", per_minute=LOOKS_A_MINUTE),
    Way("persons.object", "/persons/objection", object_to, DPO, "POST", logs="person_object", per_minute=LOOKS_A_MINUTE),
)  # fmt: skip
