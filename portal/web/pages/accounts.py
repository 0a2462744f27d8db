"""The administrator's pages: who may sign in, with which role; how the portal is set up. They show no data of anyone else."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import RefusedError, UsageError
from passerelle.store import accounts as store
from passerelle.store import partners
from passerelle.store.accounts import ROLES, Account, Role
from portal import administering
from portal.faults import told
from portal.render import Text
from portal.web.listing import Column, Filter, Listing
from portal.web.visit import AbsentError, Visit
from portal.web.ways import Way

ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})
LABELS: dict[Role, Text] = {
    "partner": Text("partenaire", "partner"),
    "dpo": Text("déléguée ou délégué à la protection des données", "data protection officer"),
    "engineer": Text("ingénierie des données", "data engineer"),
    "administrator": Text("administration du portail", "administrator of the portal"),
}
CHOICES = tuple(LABELS.items())


def show_all(visit: Visit) -> Response:
    """Every account, by name."""
    role = visit.asked("role")
    with visit.workspace.database.read() as connection:
        found = store.search(
            connection, name=visit.asked("name"), role=role if role in ROLES else "", after=visit.asked("after"), limit=visit.rows + 1
        )  # fmt: skip
    shown = found[: visit.rows]
    rows = [
        {
            "name": one.name,
            "name_href": visit.href("accounts.one", account=one.id),
            "role": LABELS[one.role],
            "party": one.party,
            "state": Text("fermé", "closed") if one.disabled else Text("ouvert", "open"),
            "state_tone": "bad" if one.disabled else "good",
        }
        for one in shown
    ]
    listing = Listing(
        title=Text("Comptes", "Accounts"),
        lead=Text(
            "Qui peut se connecter, et à quel titre. L'administration n'ouvre aucune donnée.",
            "Who may sign in, and as what. Administering opens no data.",
        ),
        columns=(
            Column("name", Text("Nom", "Name")),
            Column("role", Text("Rôle", "Role"), "words"),
            Column("party", Text("Partie", "Party"), "code"),
            Column("state", Text("État", "State"), "words"),
        ),
        rows=rows,
        empty=Text("Aucun compte ne répond à cette recherche.", "No account answers this search."),
        filters=(Filter("name", Text("Nom", "Name")), Filter("role", Text("Rôle", "Role"), "choice", CHOICES)),
        cursor=shown[-1].name if len(found) > len(shown) else None,
    )
    return visit.listing(listing, "accounts.html.jinja")


def ask_new(visit: Visit) -> Response:
    """The form of a new account."""
    return _new(visit)


def add(visit: Visit) -> Response:
    """Add an account; its activation code is shown once."""
    try:
        found, code = administering.add(
            visit.workspace, visit.given("name"), visit.given("role"), visit.given("party") or None, by=visit.account.name
        )  # fmt: skip
    except (UsageError, RefusedError) as fault:
        return _new(visit, Text(told(fault, "fr"), told(fault, "en")), 400)
    return visit.page("invited.html.jinja", found=found, code=code)


def show_one(visit: Visit) -> Response:
    """One account and where it is signed in."""
    return _one(visit, _found(visit))


def reset(visit: Visit) -> Response:
    """Forget an account's factors; a new activation code is shown once."""
    found = _another(visit)
    code = administering.reset(visit.workspace, found, by=visit.account.name)
    return visit.page("invited.html.jinja", found=found, code=code)


def change(visit: Visit) -> Response:
    """Give an account another role."""
    found = _another(visit)
    try:
        administering.change(
            visit.workspace, found, visit.given("role"), visit.given("party") or None, by=visit.account.name
        )
    except UsageError as fault:
        return _one(visit, found, Text(told(fault, "fr"), told(fault, "en")), 400)
    said = Text("Le rôle est changé ; les sessions de ce compte sont fermées.", "The role is changed; the account's sessions are ended.")  # fmt: skip
    return visit.go(visit.href("accounts.one", account=found.id), said)


def disable(visit: Visit) -> Response:
    """Let an account sign in no more."""
    found = _another(visit)
    administering.disable(visit.workspace, found, by=visit.account.name)
    said = Text("Le compte est fermé ; ses sessions aussi.", "The account is closed, and so are its sessions.")
    return visit.go(visit.href("accounts.one", account=found.id), said)


def settings(visit: Visit) -> Response:
    """How the portal is set up; no secret is shown."""
    setup, workspace = visit.request.app.state.door.setup, visit.workspace
    return visit.page("settings.html.jinja", setup=setup, secure=visit.request.app.state.door.secure, rehearsal=workspace.rehearsal)  # fmt: skip


def _new(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    return visit.page("account-new.html.jinja", status, fault=fault, roles=CHOICES, parties=_parties(visit))


def _one(visit: Visit, found: Account, fault: Text | None = None, status: int = 200) -> Response:
    with visit.workspace.database.read() as connection:
        places = store.sessions(connection, found.id, at=visit.now)
    own = found.id == visit.account.id
    return visit.page("account-one.html.jinja", status, found=found, places=places, own=own, roles=CHOICES, parties=_parties(visit), label=LABELS[found.role], fault=fault)  # fmt: skip


def _parties(visit: Visit) -> list[tuple[str, str]]:
    with visit.workspace.database.read() as connection:
        return [(one.id, one.name) for one in partners.partners(connection)]


def _found(visit: Visit) -> Account:
    with visit.workspace.database.read() as connection:
        found = store.by_id(connection, visit.part("account"))
    if found is None:
        raise AbsentError
    return found


def _another(visit: Visit) -> Account:
    """The account named in the path, which is not the visitor's own: nobody raises or closes themselves.

    Raises:
        RefusedError: it is the visitor's own.
    """
    found = _found(visit)
    if found.id == visit.account.id:
        raise RefusedError(
            "another administrator changes your account",
            fr="c'est un autre administrateur qui modifie votre compte",
        )
    return found


WAYS = (
    Way("accounts", "/accounts", show_all, ADMINISTRATOR, navigates=("Comptes", "Accounts")),
    Way("accounts.new", "/accounts/new", ask_new, ADMINISTRATOR, fresh=True),
    Way("accounts.add", "/accounts/new", add, ADMINISTRATOR, "POST", fresh=True),
    Way("accounts.one", "/accounts/{account}", show_one, ADMINISTRATOR),
    Way("accounts.reset", "/accounts/{account}/reset", reset, ADMINISTRATOR, "POST", fresh=True),
    Way("accounts.change", "/accounts/{account}/role", change, ADMINISTRATOR, "POST", fresh=True),
    Way("accounts.disable", "/accounts/{account}/disable", disable, ADMINISTRATOR, "POST", fresh=True),
    Way("settings", "/settings", settings, ADMINISTRATOR, navigates=("Réglages", "Settings")),
)
