"""From an empty workspace to a receipt and a certificate, by clicks alone: administrator, partner, two who approve, DPO, engineer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from passerelle.errors import ContractError
from passerelle.store import partners
from portal import administering
from retention.attestations import request as ask_to_attest
from retention.purge import purge
from tests.browser.conftest import People
from tests.browser.driving import Person, Served, serving
from tests.browser.test_door import activates
from tests.gateway import CSP_FILED, POOLS, Gateway, edited
from tests.receipt.conftest import ssh_key

pytestmark = pytest.mark.slow
NOW = "2025-05-12T10:00:00+02:00"
CSP = POOLS.partition("/")[0]
ADA, PAUL, DORA, INES = "Ada Lefèvre", "Paul Morel", "Dora Nguyen", "Inès Roy"
SOMEBODY = "marie.exemple@example.org"


@dataclass
class Day:
    """The people of the day, each before a browser of their own."""

    served: Served
    people: People
    key: Path

    def arrives(self, name: str, code: str) -> Person:
        """Open an account with its activation code; the browser is signed in afterwards."""
        one = self.people(self.served)
        activates(self.served, one.page, name, code)
        one.open("/")
        return one


@pytest.fixture
def day(tmp_path: Path, people: People) -> Iterator[Day]:
    """An empty workspace, whose partner is known by name."""
    made = Gateway.create(tmp_path / "gateway", NOW).record(*CSP_FILED)
    with made.workspace.database.begin() as connection:
        partners.add(connection, "mtfp", "Ministère", str(made.folder / "partners" / "mtfp"), at=made.workspace.now())
    with serving(made) as served:
        yield Day(served, people, ssh_key(tmp_path))
    made.workspace.close()


def follows(page: Page, *names: str) -> Page:
    """Click one link after the other."""
    for name in names:
        page.get_by_role("link", name=name).first.click()
    return page


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


def adds(administrator: Page, name: str, role: str, party: str = "") -> str:
    """Add an account by its form; the activation code that is shown once."""
    follows(administrator, "Comptes", "Ajouter un compte")
    administrator.get_by_label("Nom du compte").fill(name)
    administrator.get_by_label("Rôle").select_option(role)
    administrator.get_by_label("Partie, pour un partenaire").select_option(party)
    administrator.get_by_role("button", name="Ajouter le compte").click()
    return administrator.locator(".codes code").inner_text()


def enrols(partner: Person, key: Path) -> str:
    """Enrol the public half of an SSH key; its fingerprint, as the page tells it."""
    page = follows(partner.page, "Mes clés", "Inscrire une clé")
    page.get_by_label("Clé publique").fill(" ".join(key.with_suffix(".pub").read_text().split()[:2]))
    page.get_by_role("button", name="Inscrire cette clé").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("SHA256:")
    partner.picture("journee-cle-inscrite")
    found = re.search(r"SHA256:[A-Za-z0-9+/]{43}", page.locator(".notice[role=status]").inner_text())
    assert found
    return found[0]


def approves(person: Person, fingerprint: str) -> None:
    page = follows(person.page, "Clés des partenaires")
    page.get_by_label("Empreinte entière").fill(fingerprint)
    page.get_by_label("Donnée par").select_option("phone")
    page.get_by_role("button", name="Approuver cette clé").click()
    expect(page.locator(".notice[role=status]")).to_be_visible()


def opens_and_receipts(partner: Person, key: Path) -> None:
    """Download the parcel, open it in the browser, sign its receipt there."""
    page = follows(partner.page, "Mes colis", "Vivier")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Télécharger").first.click()
    assert Path(caught.value.path()).stat().st_size > 1000
    partner.picture("journee-colis")
    follows(page, "Ouvrir dans le navigateur")
    page.get_by_label("Le fichier de votre clé", exact=True).set_input_files(key)
    page.get_by_role("button", name="Ouvrir").click()
    expect(page.get_by_role("status").first).to_contain_text("Le colis est ouvert")
    partner.picture("journee-colis-ouvert")
    page.get_by_label("Le fichier de votre clé SSH").set_input_files(key)
    page.get_by_role("button", name="Signer et remettre l'accusé").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("Accusé de réception enregistré")


def who_what_and_when(dpo: Person) -> None:
    """Questions 1 to 5: who received data on a person, under what, on which day, a partner's deliveries, the trail."""
    page = follows(dpo.page, "Personnes")
    page.get_by_label("Identifiant de la personne").fill(SOMEBODY)
    page.get_by_label("Motif").fill("demande 1")
    page.get_by_role("button", name="Qui a reçu quoi").click()
    expect(page.get_by_role("table")).to_contain_text("candidate-pools")
    assert SOMEBODY not in page.url
    dpo.picture("question-01-personne")
    follows(page, "Livraisons", "p-")
    expect(page.get_by_role("main")).to_contain_text("art. 3 (commun), point 1")
    expect(page.get_by_role("main")).to_contain_text("Finalité")
    dpo.picture("question-02-fondement")
    follows(page, "Livraisons")
    page.get_by_label("Du", exact=True).fill("2025-05-12")
    page.get_by_label("Au", exact=True).fill("2025-05-12")
    page.get_by_role("button", name="Chercher").click()
    expect(page.get_by_role("table")).to_contain_text("candidate-pools")
    dpo.picture("question-03-jour")
    follows(page, "tout montrer")
    page.get_by_label("Destinataire").fill("mtfp")
    page.get_by_role("button", name="Chercher").click()
    expect(page.get_by_role("row").nth(1).get_by_role("cell").last).to_contain_text("12 mai 2025")
    dpo.picture("question-04-partenaire")
    follows(page, "Registre de preuve")
    page.get_by_role("button", name="Vérifier maintenant").click()
    heading(page, "Le registre est intact")
    dpo.picture("question-05-registre")


def what_goes_and_who_answers(dpo: Person, gateway: Gateway) -> None:
    """Questions 6 to 10: what will go, the proof that it went, who attests, holds, whom to tell."""
    page = follows(dpo.page, "Destruction", CSP)
    expect(page.get_by_role("main")).to_contain_text("art. 7 § 6")
    dpo.picture("question-06-plan")
    ask_to_attest(gateway.workspace, CSP)
    gateway.record((CSP, "declared_unnecessary", {"on": "2025-05-12"}))
    purge(gateway.workspace, CSP)
    follows(page, "Destruction", f"{CSP}.1")
    heading(page, "Certificat de destruction")
    expect(page.get_by_role("main")).to_contain_text("Ce que ce certificat ne peut pas prouver")
    dpo.picture("question-07-certificat")
    follows(page, "Destruction", "Attestations")
    heading(page, "Attestations de destruction")
    expect(page.get_by_role("main")).to_contain_text("mtfp")
    dpo.picture("question-08-attestations")
    follows(page, "Suspensions")
    heading(page, "Suspensions")
    dpo.picture("question-09-suspensions")
    follows(page, "Personnes", "Avis aux destinataires")
    heading(page, "Avis aux destinataires")
    dpo.picture("question-10-avis")


def sees_why_it_was_refused(engineer: Person) -> None:
    page = follows(engineer.page, "Traitements")
    page.get_by_label("État").select_option("refused")
    page.get_by_role("button", name="Chercher").click()
    follows(page, "r-")
    expect(page.get_by_role("heading", name="Règles enfreintes")).to_be_visible()
    expect(page.locator("p.fault")).to_be_visible()
    engineer.picture("ingenieur-refus")
    follows(page, "Dérive")
    heading(page, "Dérive des profils")
    engineer.picture("ingenieur-derive")


def test_a_first_day_by_clicks(day: Day) -> None:
    """Accounts are opened, a key is enrolled and approved by two, a parcel is taken, opened and receipted, ten questions and a refusal are answered."""
    served, gateway = day.served, day.served.gateway
    _, code = administering.add(gateway.workspace, ADA, "administrator", None, by="test")
    ada = day.arrives(ADA, code)
    codes = {name: adds(ada.page, name, role, party) for name, role, party in ((PAUL, "partner", "mtfp"), (DORA, "dpo", ""), (INES, "engineer", ""))}  # fmt: skip
    paul, dora, ines = (day.arrives(name, codes[name]) for name in (PAUL, DORA, INES))
    fingerprint = enrols(paul, day.key)
    for person in (dora, ines):
        approves(person, fingerprint)
    served.later()
    source = edited(gateway.write(POOLS, 60), {5: {"email": SOMEBODY}})
    gateway.run(POOLS, "2025-05", source, "france-travail")
    with pytest.raises(ContractError):
        gateway.run(POOLS, "2025-06", gateway.write(POOLS, 60, 0.5, seed=1, name="bad.csv"), "france-travail")
    opens_and_receipts(paul, day.key)
    sees_why_it_was_refused(ines)
    who_what_and_when(dora)
    what_goes_and_who_answers(dora, gateway)
