"""The way in, in a real browser: an account is opened with its code, two factors sign in, and what is seen is ours alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from passerelle.store import factors
from tests.browser.conftest import People
from tests.browser.driving import Served, serving
from tests.gateway import Gateway
from tests.web.visitors import PASSWORD

NOW = "2025-05-05T10:00:00+02:00"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The portal of a new workspace."""
    made = Gateway.create(tmp_path_factory.mktemp("door"), NOW)
    with serving(made) as served:
        yield served
    made.workspace.close()


def invited(served: Served, name: str, role: str) -> str:
    """The activation code of a new account."""
    workspace = served.gateway.workspace
    found = served.portal.account(name, role)
    with workspace.database.begin() as connection:
        return factors.invite(connection, found.id, at=workspace.now())


def activates(served: Served, page: Page, name: str, code: str) -> str:
    """Open an account on its page with password and app; the app's secret, in letters."""
    page.goto(f"{served.address}/activate")
    page.get_by_label("Nom du compte").fill(name)
    page.get_by_label("Code d'activation").fill(code)
    page.get_by_label("Mot de passe choisi").fill(PASSWORD)
    page.get_by_role("button", name="Continuer").click()
    letters = page.locator("#secret").inner_text()
    page.get_by_label("Code à six chiffres").fill(served.code(letters))
    page.get_by_role("button", name="Ouvrir mon compte").click()
    return letters


def test_an_account_is_opened_and_signs_in(served: Served, people: People) -> None:
    """With the activation code, a password and an app someone gets in; later with password and app; then leaves."""
    one = people(served)
    letters = activates(served, one.page, "Ada Lefèvre", invited(served, "Ada Lefèvre", "dpo"))
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Votre compte est ouvert")
    one.open("/")
    expect(one.page.get_by_role("navigation")).to_contain_text("Livraisons")
    one.page.get_by_role("button", name="Se déconnecter").click()
    served.later()
    one.page.get_by_label("Nom du compte").fill("Ada Lefèvre")
    one.page.get_by_label("Mot de passe").fill(PASSWORD)
    one.page.get_by_role("button").first.click()
    one.page.get_by_label("Code à six chiffres").fill(served.code(letters))
    one.page.get_by_role("button").last.click()
    expect(one.page).to_have_url(f"{served.address}/today")
    assert len(one.watch.asked) > 10


def test_what_a_page_asks_for_elsewhere_is_noticed(served: Served, people: People) -> None:
    """The watch of these tests sees a request to another host, and the policy of our pages stops it."""
    one = people(served)
    one.open("/sign-in")
    one.page.evaluate("fetch('https://example.org/').catch(() => 0)")
    assert any("Content Security Policy" in said for said in one.watch.complaints)
    one.watch.complaints.clear()
    blank = one.context.new_page()
    blank.goto("data:text/html,<img src='http://192.0.2.1/x.png'>")
    assert one.watch.outside == ["http://192.0.2.1/x.png"]
    one.watch.asked.clear()
    one.watch.complaints.clear()


def test_a_session_opens_the_page_of_each_role(served: Served, people: People) -> None:
    """Each role begins on its own page, in French."""
    served.gateway.partner("mtfp")
    for role, party in (("dpo", None), ("engineer", None), ("administrator", None), ("partner", "mtfp")):
        one = people(served)
        page = one.enter(role, party)
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.get_by_role("navigation").get_by_role("link").first).to_have_attribute("aria-current", "page")


def test_all_of_it_works_without_scripts(served: Served, people: People) -> None:
    """With scripts switched off an account is opened, signs in, searches, changes the language and leaves."""
    one = people(served, java_script_enabled=False)
    activates(served, one.page, "Sans Script", invited(served, "Sans Script", "dpo"))
    one.open("/deliveries")
    one.page.get_by_label("Destinataire").fill("mtfp")
    one.page.get_by_role("button", name="Chercher").click()
    expect(one.page.get_by_role("main")).to_contain_text("Aucune livraison ne répond")
    one.page.get_by_role("button", name="English").click()
    expect(one.page.locator("html")).to_have_attribute("lang", "en")
    one.page.get_by_role("button", name="Sign out").click()
    expect(one.page).to_have_url(f"{served.address}/sign-in?next=/")


def test_the_keyboard_goes_straight_to_the_content(served: Served, people: People) -> None:
    """The first stop of the keyboard is a link that shows itself and leads past the menu; each stop is outlined."""
    one = people(served)
    page = one.enter("dpo")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Aller au contenu")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
