"""My account: what I sign in with, where I am signed in; adding and removing factors, ending sessions."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import RefusedError, UsageError
from passerelle.store import accounts, attempts, factors, passkeys
from passerelle.store.accounts import Session
from portal.render import Text
from portal.web.pages.activating import WRONG_CODE, WRONG_PASSKEY
from portal.web.pages.signing_in import insist_local
from portal.web.signin import codes, opening, passwords
from portal.web.visit import AbsentError, Visit
from portal.web.ways import EVERYONE, Way

APP = "app"  # the form's word for one-time codes; a passkey is named by its credential
TRIES_A_MINUTE = 20
WRONG_PASSWORD = Text("Le mot de passe actuel n'est pas celui-là.", "This is not the present password.")


def show(visit: Visit) -> Response:
    """The visitor's own factors and sessions."""
    return _show(visit)


def _show(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    own = visit.account.id
    with visit.workspace.database.read() as connection:
        kept, keys = factors.of(connection, own), passkeys.of(connection, own)
        left, places = factors.recovery_left(connection, own), accounts.sessions(connection, own, at=visit.now)
    return visit.page(
        "account.html.jinja", status, has_password=kept.password is not None, has_app=kept.totp is not None, passkeys=keys,
        recovery_left=left, places=places, here=_session(visit).key, fault=fault,
    )  # fmt: skip


def ask_factor(visit: Visit) -> Response:
    """The page that adds a passkey or an authenticator app."""
    insist_local(visit)
    return _factor(visit)


def add_factor(visit: Visit) -> Response:
    """Add the passkey that the browser made, or the app whose first code this is."""
    insist_local(visit)
    session = _session(visit)
    if visit.given("credential"):
        with visit.workspace.database.begin() as connection:
            kept = opening.made(connection, visit, visit.account, session.key)
        if not kept:
            return _factor(visit, WRONG_PASSKEY, 400)
    elif not _app_added(visit, session):
        return _factor(visit, WRONG_CODE, 400)
    _changed(visit)
    return visit.go(visit.href("account"), Text("Le moyen de connexion est ajouté.", "The way to sign in is added."))


def remove_factor(visit: Visit) -> Response:
    """Take a factor no more; never the last one.

    Raises:
        RefusedError: it is the last one.
        UsageError: the visitor has no such factor.
    """
    which, own = visit.given("factor"), visit.account.id
    with visit.workspace.database.begin() as connection:
        keys, has_app = passkeys.of(connection, own), factors.of(connection, own).totp is not None
        if (which == APP and not has_app) or (which != APP and which not in {one.credential for one in keys}):
            raise UsageError("expected one of your ways to sign in", fr="il faut l'un de vos moyens de connexion")
        if len(keys) + has_app == 1:
            raise RefusedError(
                "the last second factor cannot be removed",
                hint="add another one first",
                fr="le dernier second facteur ne peut pas être retiré",
                hint_fr="ajoutez-en d'abord un autre",
            )
        if which == APP:
            factors.remove_totp(connection, own)
        else:
            passkeys.remove(connection, own, which)
    _changed(visit)
    return visit.go(visit.href("account"), Text("Le moyen de connexion est retiré.", "The way to sign in is removed."))


def renew_recovery(visit: Visit) -> Response:
    """New recovery codes in place of the old ones, shown once."""
    insist_local(visit)
    with visit.workspace.database.begin() as connection:
        fresh = factors.renew_recovery(connection, visit.account.id)
    _changed(visit)
    return visit.page("recovery.html.jinja", codes=fresh, opened=False)


def change_password(visit: Visit) -> Response:
    """Another password in place of the present one."""
    insist_local(visit)
    present, wanted = str(visit.form.get("present", "")), str(visit.form.get("password", ""))
    with visit.workspace.database.read() as connection:
        kept = factors.of(connection, visit.account.id)
    if not passwords.matches(present, kept.password):
        return _show(visit, WRONG_PASSWORD, 400)
    try:
        passwords.insist(wanted, visit.account.name)
    except UsageError as fault:
        return _show(visit, Text(f"{fault.fr} ; {fault.hint_fr}", f"{fault.message}; {fault.hint}"), 400)
    made = passwords.hashed(wanted)
    with visit.workspace.database.begin() as connection:
        factors.set_password(connection, visit.account.id, made)
    _changed(visit)
    return visit.go(visit.href("account"), Text("Le mot de passe est changé.", "The password is changed."))


def end_sessions(visit: Visit) -> Response:
    """End every other session of the visitor's."""
    with visit.workspace.database.begin() as connection:
        gone = accounts.close_others(connection, visit.account.id, but=_session(visit).key)
        attempts.forget(connection, visit.account.id)
    said = Text(f"Autres sessions fermées : {gone}.", f"Other sessions ended: {gone}.")
    return visit.go(visit.href("account"), said)


def _factor(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    session, found = _session(visit), visit.account
    wrapped = opening.new_secret(visit, found)
    with visit.workspace.database.begin() as connection:
        passkeys.put(connection, session.key, "app", wrapped, at=visit.now)
    secret = opening.secret_of(visit, found, wrapped)
    return visit.page(
        "app.html.jinja", status, picture=codes.picture(secret, found.name), letters=codes.spelled(secret),
        options=opening.asked_new(visit, found, session.key), fault=fault, path=visit.href("account.factor.add"), opening=False,
    )  # fmt: skip


def _app_added(visit: Visit, session: Session) -> bool:
    found = visit.account
    with visit.workspace.database.begin() as connection:
        wrapped = passkeys.take(connection, session.key, "app", at=visit.now)
        if wrapped is None:
            return False
        step = codes.step_of(opening.secret_of(visit, found, wrapped), visit.given("code"), visit.now)
        if step is not None:
            factors.set_totp(connection, found.id, wrapped, step)
    return step is not None


def _changed(visit: Visit) -> None:
    """Write that the ways to sign in changed, and end the sessions that the old ones opened."""
    own = visit.account
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "factor_changed", own.id, partner=own.party)
        accounts.close_others(connection, own.id, but=_session(visit).key)
        attempts.forget(connection, own.id)


def _session(visit: Visit) -> Session:
    if visit.session is None:
        raise AbsentError
    return visit.session


WAYS = (
    Way("account", "/account", show, EVERYONE, navigates=("Mon compte", "My account")),
    Way("account.factor", "/account/factor", ask_factor, EVERYONE, fresh=True),
    Way("account.factor.add", "/account/factor", add_factor, EVERYONE, "POST", fresh=True, per_minute=TRIES_A_MINUTE),
    Way("account.factor.remove", "/account/factor/remove", remove_factor, EVERYONE, "POST", fresh=True, logs="factor_changed"),
    Way("account.recovery", "/account/recovery", renew_recovery, EVERYONE, "POST", fresh=True, logs="factor_changed"),
    Way("account.password", "/account/password", change_password, EVERYONE, "POST", fresh=True, per_minute=TRIES_A_MINUTE),
    Way("account.sessions", "/account/sessions", end_sessions, EVERYONE, "POST"),
)  # fmt: skip
