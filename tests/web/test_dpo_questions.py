"""The twenty questions of docs/dpo.md, each answered by its page; every page found by following links from /today."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import typer

from passerelle.handover import approval, quarantine
from passerelle.persons import received
from passerelle.persons.notifying import notify
from passerelle.persons.requesting import open_request
from portal.cli import app
from portal.web.pages import every_way
from retention import attestations
from retention.backups import record
from retention.purge import purge
from retention.suspending import Asked, place
from tests.gateway import CSP_ENDED, POOLS, TWO, Gateway, edited, pools, two_recipients
from tests.web.visitors import Portal, Visitor, words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dpo.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| `(/\S+)` \| `passerelle ([a-z0-9 -]+)` \| ([^|]+) \|$", re.MULTILINE)
ENDED, WHICH = "csp-ft-2024", "two-ministries"
NUMBER, EMAIL = "98765432", "quintard.canari@exemple.fr"
PERSON = {"jobseeker_id": NUMBER, "email": EMAIL}
LINK = re.compile(r'href="(/[^"#]*)"')
CRAWLED = 400  # pages at most


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in whose life every one of the questions comes up."""
    folder = tmp_path_factory.mktemp("questions")
    made = pools(folder / "gateway")
    two_recipients(made)
    made.run(POOLS, "2025-05", made.write(POOLS, 30), "france-travail")
    bad = edited(made.write(TWO, 200, name="bad.csv"), {2: PERSON, 5: {"email": "sans-arobase"}})
    run = made.run(TWO, "2025-05", bad).run
    quarantine.look(made.workspace, run, reason="ligne signalée par l'émetteur", by="agente Durand")
    made.opened(made.parcels("mtss")[0], "mtss", folder / "opened")
    made.move_to("2025-05-13T06:00:00+02:00")
    record(made.workspace, "coffre-7", covers=["database", "files"], taken_at=made.workspace.now(), expires_on=date(2025, 12, 31), by="test")  # fmt: skip
    made.record(
        CSP_ENDED,
        (WHICH, "suspended", {"on": "2025-05-11", "until": "2025-05-13"}),
        (WHICH, "precondition_recorded", {"id": "processing-record", "exchange": "candidate-pools", "on": "2025-05-09", "notice": "N-7", "notice_version": "3"}),
        (WHICH, "processor_declared", {"name": "hébergeur-un", "guarantees": "contrat art. 28", "on": "2025-05-06"}),
        (WHICH, "field_use_declared", {"exchange": "candidate-pools", "party": "mtfp", "fields": ["jobseeker_id"], "on": "2025-05-10"}),
    )  # fmt: skip
    made.move_to("2025-10-10T05:00:00+02:00")
    purge(made.workspace, ENDED, by="exploitation")
    until = date(2025, 12, 1)
    place(
        made.workspace,
        WHICH,
        Asked("litigation", "requête 2025-114", "Claire", until, names=("candidate-pools",)),
        by="Claire",
    )
    attestations.request(made.workspace, WHICH)
    request = open_request(made.workspace, "rectification", by="Claire").row.id
    with made.workspace.database.begin() as connection:
        notify(
            made.workspace,
            connection,
            "rectification",
            request,
            received(made.workspace, connection, NUMBER).deliveries,
        )
    text = made.home / "conventions" / f"{WHICH}.yaml"
    text.write_text(text.read_text("utf-8") + "# relu\n", "utf-8")
    made.workspace.refresh()
    for who in ("Claire", "Bruno"):
        approval.approve(made.workspace, WHICH, by=who)
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def dpo(gateway: Gateway) -> Visitor:
    """Its DPO, who reads French."""
    one = Portal(gateway).visitor("dpo", name="Claire")
    one.post("/language", {"lang": "fr"})
    return one


def parcel(gateway: Gateway, convention: str, recipient: str) -> str:
    """The one parcel of a convention to a recipient."""
    (one,) = gateway.deliveries(state="delivered", convention=convention, recipient=recipient)
    return one.id


def said(dpo: Visitor, path: str, **asked: str) -> str:
    """What the page of a question says."""
    answer = dpo.get(path, params=asked)
    assert answer.status_code == 200, words(answer)
    return words(answer).replace("\xa0", " ")


def has(page: str, *facts: str) -> None:
    """The page shows each fact."""
    assert [fact for fact in facts if fact not in page] == []


def test_1_who_received_data_on_a_person(gateway: Gateway, dpo: Visitor) -> None:
    """Both ministries, the day, and the columns that left."""
    page = words(dpo.post("/persons/received", {"identifier": NUMBER, "reason": "demande q-1"})).replace("\xa0", " ")
    has(
        page,
        "Ministère du travail",
        "12 mai 2025",
        "mobility_km",
        parcel(gateway, WHICH, "mtfp"),
        parcel(gateway, WHICH, "mtss"),
    )
    assert ENDED not in page.partition("Exporter")[0]


def test_2_under_which_article_and_purpose(gateway: Gateway, dpo: Visitor) -> None:
    """The delivery's page has the decision, its article, the purpose and the last day."""
    page = said(dpo, f"/deliveries/{parcel(gateway, WHICH, 'mtfp')}")
    has(page, "art. 3 (commun), point 1", "Recrutement dans la fonction publique", "autorisé", WHICH)


def test_3_what_left_on_a_day(dpo: Visitor) -> None:
    """The day of the deliveries lists all three with their rows, the day after none; the scope of that day counts persons."""
    rows = dpo.get("/deliveries", params={"since": "2025-05-12", "until": "2025-05-12", "format": "json"}).json()
    assert sorted((row["recipient"], row["rows"]) for row in rows) == [("mtfp", 30), ("mtfp", 199), ("mtss", 199)]
    has(said(dpo, "/deliveries", since="2025-05-13", until="2025-05-13"), "Aucune livraison ne répond")
    shown = dpo.get("/deliveries", params={"since": "2025-05-12", "until": "2025-05-12"}).text
    (counted,) = [html.unescape(link) for link in LINK.findall(shown) if "/registers/breaches/scope" in link]
    has(words(dpo.get(counted)).replace("\xa0", " "), "personnes, au plus 229")
    assert "/registers/breaches/scope" not in dpo.get("/deliveries").text


def test_4_what_a_partner_received_and_opened(gateway: Gateway, dpo: Visitor) -> None:
    """Its parcels with the instant of the key: the one of mtss was opened, those of mtfp were not."""
    (opened,) = dpo.get("/deliveries", params={"recipient": "mtss", "format": "json"}).json()
    assert opened["opened"].startswith("2025-05-12")
    rows = dpo.get("/deliveries", params={"recipient": "mtfp", "format": "json"}).json()
    assert {row["parcel"] for row in rows} == {parcel(gateway, ENDED, "mtfp"), parcel(gateway, WHICH, "mtfp")}
    assert {row["opened"] for row in rows} == {None}


def test_5_was_the_log_altered(dpo: Visitor) -> None:
    """Verified on request, with how many entries and the root."""
    has(words(dpo.verifies()), "Le registre est intact", "écritures")


def test_6_what_will_be_destroyed_and_why_then(dpo: Visitor) -> None:
    """The plan has its article, its arithmetic and what a hold keeps; the list leads to it."""
    assert f"/destruction/plans/{WHICH}" in dpo.get("/destruction").text
    has(
        said(dpo, f"/destruction/plans/{WHICH}"),
        "art. 7 § 6",
        "Conservé par une suspension",
        "candidate-pools",
        "plan-",
    )


def test_7_prove_that_it_was_destroyed(dpo: Visitor) -> None:
    """The certificate says when and what, what is proved, and what is not."""
    (row,) = dpo.get("/destruction", params={"format": "json"}).json()
    page = said(dpo, f"/destruction/{row['purge']}")
    has(page, "10 octobre 2025", "copies brutes : 1", "Ce qui est prouvé", "Ce que ce certificat ne peut pas prouver")


def test_8_who_has_not_attested(dpo: Visitor) -> None:
    """Both recipients were asked, neither has answered, and the parcel is named."""
    rows = dpo.get("/destruction/attestations", params={"convention": WHICH, "format": "json"}).json()
    assert sorted((row["party"], row["attested"], row["state"]) for row in rows) == [
        ("mtfp", 0, "demandée"),
        ("mtss", 0, "demandée"),
    ]


def test_9_what_is_under_a_hold(dpo: Visitor) -> None:
    """What, who decided, why, until when."""
    has(
        said(dpo, "/holds"),
        "candidate-pools",
        "requête 2025-114",
        "Claire",
        "1er décembre 2025",
        "contentieux en cours",
    )


def test_10_whom_to_tell(dpo: Visitor) -> None:
    """A notice for each recipient of the person's data, awaited."""
    rows = dpo.get("/persons/notices", params={"state": "open", "format": "json"}).json()
    assert len({row["recipient"] for row in rows}) == len(rows) == 2
    assert {row["ground"] for row in rows} == {"rectification"}


def test_11_the_record_of_article_30(dpo: Visitor) -> None:
    """What happened and what never did, with every column in the export; nothing undeclared."""
    rows = {row["exchange"]: row for row in dpo.get("/registers/article30", params={"format": "json"}).json()}
    pool = rows[TWO]
    assert (pool["finding"], pool["deliveries"], pool["article"]) == ("a eu lieu", 2, "art. 3 (commun), point 1")
    assert {"purpose", "legal_basis", "security", "retention"} <= set(pool)
    assert {row["finding"] for row in rows.values()} == {"a eu lieu", "déclaré, jamais advenu"}
    has(said(dpo, "/registers/article30"), "demandeurs d'emploi", "Finalité", "Sécurité")


def test_12_the_scope_of_a_breach(gateway: Gateway, dpo: Visitor) -> None:
    """By lost key, by partner, by span: deliveries, persons, columns, and what can still be opened."""
    key = gateway.identities["mtss"].recipient.fingerprint
    page = said(dpo, "/registers/breaches/scope", key=key)
    has(page, "remises 1", "personnes, au plus 199", "encore lisibles par qui a la clé 1", "jobseeker_id", "clé remise")
    for _ in range(2):  # worked out, then remembered
        has(said(dpo, "/registers/breaches/scope", partner="mtfp"), "remises 2", "encore lisibles par qui a la clé 0")
    has(said(dpo, "/registers/breaches/scope"), "Dites ce que la violation a touché")


def test_13_runs_out_of_force(gateway: Gateway, dpo: Visitor) -> None:
    """A suspension that was recorded late calls both deliveries of that day into question."""
    rows = dpo.get("/registers/exposures", params={"format": "json"}).json()
    assert {row["delivery"] for row in rows} == {parcel(gateway, WHICH, "mtfp"), parcel(gateway, WHICH, "mtss")}


def test_14_who_read_rejected_rows(dpo: Visitor) -> None:
    """Who, and the reason given before."""
    has(
        said(dpo, "/registers/quarantines"),
        "agente Durand",
        "ligne signalée par l'émetteur",
        "lignes en quarantaine lues",
    )


def test_15_backups_that_hold_purged_data(dpo: Visitor) -> None:
    """The backup taken before the purge holds copies of it until the end of the year, 82 days too long."""
    (row,) = dpo.get("/destruction/backups", params={"convention": ENDED, "format": "json"}).json()
    assert (row["label"], row["purged_on"], row["expires_on"], row["late_by"]) == (
        "coffre-7",
        "2025-10-10",
        "2025-12-31",
        82,
    )


def test_16_was_each_person_informed(dpo: Visitor) -> None:
    """The notice and its version, and the clause that asks for it."""
    has(said(dpo, "/registers/notices", convention=WHICH), "N-7 (3), 9 mai 2025", "candidate-pools", "art. 7")


def test_17_processors_and_their_guarantees(dpo: Visitor) -> None:
    """The processor that was declared, with its guarantee."""
    has(said(dpo, "/registers/processors"), "hébergeur-un", "contrat art. 28", "6 mai 2025")


def test_18_fields_never_used(dpo: Visitor) -> None:
    """What the recipient received and did not declare; of the other recipient nothing is known."""
    rows = {
        row["recipient"]: row
        for row in dpo.get("/registers/fields", params={"convention": WHICH, "format": "json"}).json()
    }
    assert "mobility_km" in rows["mtfp"]["unused"]
    assert "jobseeker_id" not in rows["mtfp"]["unused"]
    assert rows["mtss"]["unused"] == "pas de déclaration"


def test_19_decisions_by_interpretation(dpo: Visitor) -> None:
    """Each point with who decides, and how many decisions stand on an interpretation."""
    has(said(dpo, "/registers/interpretations", convention=WHICH), "CSP-I1", "les signataires décident", "décisions fondées sur une interprétation")  # fmt: skip


def test_20_who_approved_a_changed_file(gateway: Gateway, dpo: Visitor) -> None:
    """The file that counts, its hash, and both who approved it; the one before has none."""
    rows = dpo.get("/registers/changes", params={"convention": WHICH, "format": "json"}).json()
    assert [row["state"] for row in rows] == ["en vigueur ici", "remplacé"]
    has(rows[0]["approved_by"], "bruno (10 octobre 2025", "claire (10 octobre 2025")
    assert rows[0]["sha256"] == gateway.workspace.convention(WHICH).sha256


def test_the_page_has_the_twenty_questions_with_pages_and_commands_that_exist() -> None:
    """Numbers 1 to 20, each page a way of the DPO, each command one of the command line."""
    rows = ROW.findall(PAGE.read_text("utf-8"))
    assert [int(row[0]) for row in rows] == list(range(1, 21))
    ways = {way.path for way in every_way() if way.method == "GET" and "dpo" in way.roles}
    named = set(re.findall(r"`(/[\w{}/-]+)`", PAGE.read_text("utf-8")))
    assert named - ways == set()
    assert {command for *_, command, _ in rows} <= set(commands())


def commands(group: object = None, before: str = "") -> Iterator[str]:
    """Every command of the command line."""
    found = typer.main.get_command(app) if group is None else group
    for name, one in getattr(found, "commands", {}).items():
        yield f"{before}{name}"
        yield from commands(one, f"{before}{name} ")


def test_each_answer_is_three_clicks_away(dpo: Visitor) -> None:
    """From /today the page of each question is two links away at most; the third click sends its form, or opens what it lists."""
    reached, near = {"/today"}, {"/today"}
    for _ in range(2):
        near = {html.unescape(link) for path in near for link in LINK.findall(dpo.get(path).text)}
        near = {
            path for path in near - reached if "format=" not in path and not path.startswith(("/static/", "/account"))
        }
        reached |= near
    for number, _, path, *_ in ROW.findall(PAGE.read_text("utf-8")):
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/?]+", path) + r"(\?.*)?")
        assert any(pattern.fullmatch(one) for one in reached), (number, path)


def test_every_page_is_found_from_today(dpo: Visitor) -> None:
    """Following links from /today reaches each page that the document names, and no link is dead."""
    seen, waiting = set[str](), ["/today"]
    while waiting and len(seen) < CRAWLED:
        path = waiting.pop()
        if path in seen or path.startswith(("/static/", "/account", "/sign-in")) or "format=" in path:
            continue
        seen.add(path)
        answer = dpo.get(path)
        assert answer.status_code in {200, 303}, path
        waiting += [html.unescape(link) for link in LINK.findall(answer.text)]
    assert len(seen) < CRAWLED
    for path in re.findall(r"`(/[\w{}/-]+)`", PAGE.read_text("utf-8")):
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/?]+", path) + r"(\?.*)?")
        assert any(pattern.fullmatch(one) for one in seen), path
