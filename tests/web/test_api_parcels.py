"""A partner's programs: parcels listed, fetched in parts, opened, receipted, attested; keys enrolled and revoked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.handover.evidence import trust_from
from passerelle.keys import Identity
from passerelle.keys.recipient import read_identities
from passerelle.parcel import open_parcel, verify
from passerelle.receipt import NAMESPACE, receipt_of
from passerelle.store import access_tables
from passerelle.workspace import partner_keys
from tests.canary import sweep
from tests.gateway import CSP_FILED, Gateway, edited, two_recipients
from tests.web.programs import Program, program
from tests.web.test_canaries import CANARIES, GOOD, columns
from tests.web.visitors import Portal

NOW = "2025-05-12T10:00:00+02:00"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of a gateway that delivered three extracts to each of two partners, one with planted values."""
    made = Gateway.create(tmp_path_factory.mktemp("parcels"), NOW).record(*CSP_FILED).partner("mtfp")
    which = two_recipients(made)
    for number, period in enumerate(("2025-03", "2025-04", "2025-05")):
        source = made.write(which, 30, seed=number)
        made.run(which, period, edited(source, {3: columns(made, which, GOOD)}) if number == 2 else source)
    yield Portal(made)
    made.workspace.close()


@pytest.fixture(scope="module")
def ministry(portal: Portal) -> Program:
    return program(portal, "mtfp")


def own(portal: Portal, party: str = "mtfp") -> list[str]:
    """A party's parcels, the oldest first."""
    return [one.id for one in portal.gateway.deliveries(recipient=party, state="delivered")]


def last_lines(portal: Portal, count: int) -> list[tuple[str, str, str, str]]:
    """The last lines of the access log: action, subject, reason, outcome."""
    table = access_tables.access
    with portal.gateway.workspace.database.read() as connection:
        rows = connection.execute(table.select().order_by(table.c.id.desc()).limit(count))
        return [(row.action, row.subject, row.reason, row.outcome) for row in rows]


def test_the_list_follows_its_cursor(portal: Portal, ministry: Program) -> None:
    """Page after page each parcel of one's own comes once, the latest first; each look has its line with the token."""
    seen: list[str] = []
    after: int | None = None
    while True:
        page = ministry.get("/parcels", params={"limit": 1} | ({"after": after} if after is not None else {})).json()
        seen += [one["parcel"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == own(portal)[::-1]
    (line,) = last_lines(portal, 1)
    assert (line[0], line[2][:4], line[3]) == ("deliveries_read", "api ", "allowed")


def test_a_parcel_is_fetched_in_parts_and_opened(portal: Portal, ministry: Program, tmp_path: Path) -> None:
    """The file, fetched whole or in parts, is the one that was delivered; with the release key the extract opens."""
    parcel = own(portal)[-1]
    whole = ministry.get(f"/parcels/{parcel}/file")
    assert last_lines(portal, 1)[0][:2] == ("parcel_read", parcel)
    first = ministry.get(f"/parcels/{parcel}/file", headers={"range": "bytes=0-999"})
    rest = ministry.get(f"/parcels/{parcel}/file", headers={"range": "bytes=1000-", "if-range": whole.headers["etag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == whole.content
    key = ministry.post(f"/parcels/{parcel}/key").json()["identity"]
    assert last_lines(portal, 1)[0][:2] == ("release_key", parcel)
    path = tmp_path / f"{parcel}.tar"
    path.write_bytes(whole.content)
    verified = verify(path, trust_from(portal.gateway.home / "trust", "mtfp"))
    (tmp_path / "key").write_text(key + "\n", "utf-8")
    (release,) = read_identities(tmp_path / "key")
    opened = open_parcel(verified.parcel, [portal.gateway.identities["mtfp"]], release, tmp_path / "out")
    assert opened.rows == 30
    about = ministry.get(f"/parcels/{parcel}").json()
    assert about["opened_at"] is not None
    assert about["manifest"]["name"] == parcel


def test_another_partys_parcel_is_as_absent_as_none(portal: Portal, ministry: Program) -> None:
    """Its page, file and key, and those of a number that nobody has: one answer, and no key is handed."""
    foreign = own(portal, "mtss")[0]
    answers = [
        ministry.call(method, f"/parcels/{parcel}{end}")
        for parcel in (foreign, "p-" + "0" * 24, "x")
        for method, end in (("GET", ""), ("GET", "/file"), ("POST", "/key"))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert {one["parcel"] for one in ministry.get("/parcels").json()["items"]} == set(own(portal))


def test_a_receipt_is_recorded_once(portal: Portal, ministry: Program, tmp_path: Path) -> None:
    """A signed receipt is verified and kept, the same again changes nothing; another's, or garbage, is refused."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], cwd=tmp_path, check=True)
    public = (tmp_path / "key.pub").read_text("utf-8").rsplit(" ", 1)[0]
    enrolled = ministry.post("/keys", json={"recipient": public})
    assert (enrolled.status_code, enrolled.json()["state"]) == (201, "pending")
    for who in ("first", "second"):
        partner_keys.approve(portal.gateway.workspace, enrolled.json()["fingerprint"], None, by=who)
    parcel = own(portal)[0]
    path = tmp_path / f"{parcel}.tar"
    path.write_bytes(ministry.get(f"/parcels/{parcel}/file").content)
    said = receipt_of(verify(path, trust_from(portal.gateway.home / "trust", "mtfp")), portal.gateway.workspace.now())
    (tmp_path / "line").write_bytes(said.line())
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", "key", "line"], cwd=tmp_path, check=True, capture_output=True)  # fmt: skip
    signed = said.line() + (tmp_path / "line.sig").read_bytes()
    first, again = ministry.post("/receipts", content=signed), ministry.post("/receipts", content=signed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ministry.get(f"/parcels/{parcel}").json()["receipted_at"] is not None
    assert program(portal, "mtss").post("/receipts", content=signed).status_code == 409
    assert ministry.post("/receipts", content=b"{}").status_code == 422
    assert ministry.post("/attestations", content=b"{}").status_code == 422
    assert ministry.post("/receipts", content=b"x" * (2 << 20)).status_code == 413


def test_keys_are_the_partys_own(portal: Portal, ministry: Program) -> None:
    """A key that is enrolled waits for approvals, and is revoked at once; another party's cannot be."""
    public = Identity.generate().recipient
    made = ministry.post("/keys", json={"recipient": public.text}).json()
    assert made["fingerprint"] == public.fingerprint
    other = program(portal, "mtss")
    assert other.post("/keys/revoke", json={"fingerprint": public.fingerprint}).status_code == 404
    assert ministry.post("/keys/revoke", json={"fingerprint": public.fingerprint}).json()["state"] == "revoked"
    assert public.fingerprint not in {one["fingerprint"] for one in other.get("/keys").json()["items"]}
    assert ministry.post("/keys", json={"recipient": "AGE-SECRET-KEY-1"}).status_code in {400, 422}
    assert ministry.post("/keys", json={"recipient": public.text, "more": 1}).status_code == 400


def test_no_answer_has_a_persons_value(portal: Portal, ministry: Program, tmp_path: Path) -> None:
    """Planted values are in no answer of the API, sealed or not."""
    paths = ["/me", "/parcels", "/attestations", "/keys", "/contracts", "/contracts/candidate_pool"]
    paths += [f"/parcels/{parcel}{end}" for parcel in own(portal) for end in ("", "/file")]
    for number, path in enumerate(paths):
        answer = ministry.get(path)
        (tmp_path / f"{number}").write_bytes(answer.content + str(answer.headers).encode())
    assert sweep([tmp_path], CANARIES) == []
