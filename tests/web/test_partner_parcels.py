"""A partner's parcels: the list, one of them, its file from where a download stopped, the key of its second lock."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from httpx2 import Response

from flows import assembly
from passerelle.store import access
from passerelle.workspace import partner_keys
from retention.purge import purge
from tests.gateway import CSP_FILED, POOLS, Gateway, pools, two_recipients
from tests.web.visitors import Portal, Visitor, words

NOW = "2025-05-12T10:00:00+02:00"
OWN, OTHER = "mtfp", "mtss"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that delivered one pool to two ministries."""
    made = Gateway.create(tmp_path_factory.mktemp("parcels"), NOW).record(*CSP_FILED).partner(OWN)
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, 40))
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def partner(gateway: Gateway) -> Visitor:
    """Someone of the first ministry, signed in."""
    return Portal(gateway).visitor("partner", OWN)


@pytest.fixture(scope="module")
def parcel(gateway: Gateway) -> str:
    return gateway.deliveries(state="delivered", recipient=OWN)[0].id


def logged(gateway: Gateway) -> list[tuple[str, str]]:
    with gateway.workspace.database.read() as connection:
        return [(line["action"], line["subject"]) for line in access.lines(connection)]


def test_the_list_has_ones_own_parcels_only(gateway: Gateway, partner: Visitor, parcel: str) -> None:
    """The list and its exports show what was delivered to the visitor's party, its article and state, and nothing of another's."""
    other = gateway.deliveries(state="delivered", recipient=OTHER)[0].id
    before = len(logged(gateway))
    page = partner.get("/parcels")
    assert "art. 3 (commun), point 1" in page.text
    assert "receipt awaited" in words(page)
    assert [row["parcel"] for row in partner.get("/parcels?format=json").json()] == [parcel]
    assert other not in page.text + partner.get("/parcels?format=csv").text
    assert "No parcel" in words(partner.get("/parcels?convention=none"))
    assert logged(gateway)[before:] == [("deliveries_read", "deliveries")] * 3 + [("deliveries_read", "none")]


def test_a_parcel_says_what_it_is_until_when_and_whether_it_holds(partner: Visitor, parcel: str) -> None:
    """Its page has sender, article, purpose, deadline with its arithmetic, what each column means, and five checks that hold."""
    page = partner.get(f"/parcels/{parcel}")
    said = words(page)
    for expected in ("France Travail", "art. 3 (commun), point 1", "The day is not known yet", "no end has closed the convention", "own tools"):  # fmt: skip
        assert expected in said
    assert page.text.count('<span class="badge good">holds</span>') == 5
    assert f"age -d -i {parcel}.key.txt extract.csv.age" in page.text


def test_a_parcel_that_was_altered_where_it_lies_is_told(gateway: Gateway, partner: Visitor, parcel: str) -> None:
    """One bit changed in the extract: the page says that the hashes do not hold, and no line to sign is given."""
    (path,) = gateway.parcels(OWN)
    whole = path.read_bytes()
    path.write_bytes(whole[:600] + bytes([whole[600] ^ 1]) + whole[601:])
    try:
        page = partner.get(f"/parcels/{parcel}")
        assert page.text.count('<span class="badge good">holds</span>') == 4
        assert '<span class="badge bad">does not hold</span> hashes of the extract' in page.text
        assert partner.get(f"/parcels/{parcel}/receipt/line").status_code == 400
    finally:
        path.write_bytes(whole)


def test_the_deadline_counts_the_days_left(tmp_path: Path) -> None:
    """Once the convention is ended by letter the page counts down to its day, and the list too."""
    made = pools(tmp_path)
    made.run(POOLS, "2025-05", made.write(POOLS, 5))
    made.record(
        (
            "csp-ft-2024",
            "termination_letter",
            {"by": "cheops", "form": "registered_letter_ar", "received_on": "2025-05-10"},
        )
    )
    one = Portal(made).visitor("partner", OWN)
    (row,) = one.get("/parcels?format=json").json()
    assert date.fromisoformat(row["destroy_by"]) == date(2025, 5, 12) + timedelta(days=row["days_left"])
    assert f"{row['days_left']} days left" in words(one.get(f"/parcels/{row['parcel']}"))
    made.workspace.close()


def test_a_download_is_taken_up_where_it_stopped(gateway: Gateway, partner: Visitor, parcel: str) -> None:
    """Parts, the end, several parts and a validator that changed are answered as RFC 9110 says; each time is written down."""
    whole = gateway.parcels(OWN)[0].read_bytes()
    path, size = f"/parcels/{parcel}/file", len(whole)
    before = len(logged(gateway))
    first = partner.get(path)
    tag = first.headers["etag"]
    assert (first.status_code, first.content, first.headers["accept-ranges"]) == (200, whole, "bytes")
    assert first.headers["content-disposition"] == f'attachment; filename="{parcel}.tar"'
    assert first.headers["content-type"] == "application/x-tar"

    def part(range_: str, **more: str) -> Response:
        return partner.get(path, headers={"range": range_, **more})

    rest = part("bytes=1000-")
    assert (rest.status_code, rest.content) == (206, whole[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    assert part("bytes=-512").content == whole[-512:]
    assert part("bytes=10-19", **{"if-range": tag}).content == whole[10:20]
    changed = part("bytes=10-19", **{"if-range": '"another"'})
    assert (changed.status_code, changed.content) == (200, whole)
    assert part("bytes=10-19", **{"if-range": f"W/{tag}"}).status_code == 200
    several = part("bytes=0-3,10-13")
    assert several.status_code == 206
    assert several.headers["content-type"].startswith("multipart/byteranges")
    beyond = part(f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for none in ("lines=1-2", "bytes=9-2", "bytes=", "bytes=a-b", "bytes=0-1;2-3"):
        assert (part(none).status_code, part(none).content) == (200, whole), none
    head = partner.client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"], head.headers["etag"]) == (200, b"", str(size), tag)  # fmt: skip
    assert logged(gateway)[before:] == [("parcel_read", parcel)] * 19


def test_no_spelling_of_a_number_leads_to_another_file(gateway: Gateway, parcel: str) -> None:
    """Neither names of the workspace's files nor paths out of it, in any spelling, download anything (path traversal)."""
    partner = Portal(gateway).visitor(
        "partner", OWN
    )  # at a portal of its own: so many tries use up what a minute allows
    names = [one.name for one in gateway.home.iterdir()]
    assert len(names) > 3
    paths = ["..", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "..%5c..%5cetc", f"{parcel}.tar", f"{parcel}%2f..%2f..%2fgateway", f"{parcel}%00", f"{parcel}%0d%0ax: y"]  # fmt: skip
    for which in (*names, *paths):
        for way in ("/file", "/open", "/receipt/line"):
            answer = partner.get(f"/parcels/{which}{way}")
            assert answer.status_code == 404, which
            assert "x" not in answer.headers
        assert partner.post(f"/parcels/{which}/key").status_code == 404, which


def test_a_parcel_is_streamed(gateway: Gateway, partner: Visitor, parcel: str) -> None:
    """The file leaves in pieces of 64 KiB, whatever its size."""
    (path,) = gateway.parcels(OWN)
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(1 << 20))
    try:
        with partner.client.stream("GET", f"/parcels/{parcel}/file") as answer:
            assert max(len(piece) for piece in answer.iter_raw()) <= 64 * 1024
    finally:
        path.write_bytes(whole)


def test_another_partys_parcel_is_not_there(gateway: Gateway, partner: Visitor) -> None:
    """Each way to another party's parcel answers as to one that does not exist; asking for its key leaves a refusal in the log."""
    other = gateway.deliveries(state="delivered", recipient=OTHER)[0].id
    absent = partner.get("/parcels/p-none").text
    for way in ("", "/file", "/open", "/receipt", "/receipt/line"):
        answer = partner.get(f"/parcels/{other}{way}")
        assert (answer.status_code, answer.text.replace(f"{other}{way}", "p-none")) == (404, absent), way
    before = len(logged(gateway))
    assert partner.post(f"/parcels/{other}/key").status_code == 404
    assert partner.post("/parcels/p-none/key").status_code == 404
    assert [action for action, _ in logged(gateway)[before:]] == ["release_key", "release_key"]
    assert gateway.entries("release_key_handed") == [] or OTHER not in str(gateway.entries("release_key_handed"))


def test_the_second_locks_key_needs_a_fresh_factor_and_opens(gateway: Gateway, partner: Visitor, parcel: str) -> None:
    """The key comes as an age identity file, logged and in the trail; ten minutes later the second factor is asked for again."""
    before = len(gateway.entries("release_key_handed"))
    answer = partner.post(f"/parcels/{parcel}/key")
    assert answer.text.startswith("AGE-SECRET-KEY-1")
    assert answer.headers["content-disposition"] == f'attachment; filename="{parcel}.key.txt"'
    assert answer.headers["cache-control"] == "no-store"
    assert logged(gateway)[-1] == ("release_key", parcel)
    assert len(gateway.entries("release_key_handed")) == before + 1
    shown = gateway.workspace.now()
    gateway.move_to((shown + timedelta(minutes=10)).isoformat())
    for answer in (partner.post(f"/parcels/{parcel}/key"), partner.get(f"/parcels/{parcel}/open")):
        assert (answer.status_code, answer.headers["location"][:14]) == (303, "/sign-in/again")
    gateway.move_to(shown.isoformat())
    assert len(gateway.entries("release_key_handed")) == before + 1


def test_the_page_that_opens_has_what_the_browser_needs(gateway: Gateway, partner: Visitor, parcel: str) -> None:
    """It names the keys that the parcel is sealed to and the manifest's hash, and carries no key of ours."""
    page = partner.get(f"/parcels/{parcel}/open").text
    assert f'data-sealed-to="{gateway.identities[OWN].recipient.fingerprint}"' in page
    assert f'data-manifest="{gateway.deliveries(recipient=OWN)[0].manifest_sha256}"' in page
    assert "AGE-SECRET-KEY-1" not in page.replace("(AGE-SECRET-KEY-1…)", "")


def test_what_is_not_to_be_opened_any_more_says_why(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A parcel whose keys are all revoked, that was taken out of its folder, or was destroyed, is refused in the engine's words."""
    made = Gateway.create(tmp_path_factory.mktemp("refused"), NOW).record(*CSP_FILED).partner(OWN)
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, 5))
    one, found = Portal(made).visitor("partner", OWN), made.deliveries(recipient=OWN)[0].id
    partner_keys.revoke(made.workspace, made.identities[OWN].recipient.fingerprint)
    refused = one.post(f"/parcels/{found}/key")
    assert refused.status_code == 400
    assert "every key that this parcel is sealed to is revoked" in words(refused)
    (path,) = made.parcels(OWN)
    path.rename(path.with_suffix(".taken"))
    for way in ("/file", "/open", "/receipt/line"):
        assert "no longer where it was put" in words(one.get(f"/parcels/{found}{way}")), way
    assert "no longer where it was put" in words(one.get(f"/parcels/{found}"))
    made.workspace.close()


def test_a_parcel_that_was_superseded_leads_to_the_one_in_its_place(tmp_path: Path) -> None:
    """Its page says that it must be destroyed and links to the corrected one; its file and its key are refused."""
    made = pools(tmp_path)
    made.run(POOLS, "2025-05", made.write(POOLS, 5))
    (first,) = made.deliveries()
    order = made.order(POOLS, "2025-05", made.write(POOLS, 5, seed=1, name="corrected.csv"))
    assembly.run(made.workspace, replace(order, supersedes=first.id, reason="corrected"))
    later = made.deliveries()[-1].id
    one = Portal(made).visitor("partner", OWN)
    assert [row["state"] for row in one.get("/parcels?format=json").json()] == [
        "receipt awaited",
        "superseded: destroy it",
    ]
    page = one.get(f"/parcels/{first.id}")
    assert f'href="/parcels/{later}"' in page.text
    assert "destroy every copy" in words(page)
    for answer in (
        one.get(f"/parcels/{first.id}/file"),
        one.get(f"/parcels/{first.id}/open"),
        one.post(f"/parcels/{first.id}/key"),
    ):
        assert (answer.status_code, f"superseded on 2025-05-12 by {later}" in words(answer)) == (400, True)
    made.workspace.close()


def test_a_parcel_that_was_purged_says_that_its_copies_must_go(tmp_path: Path) -> None:
    """After the purge the list and the page still say what it was and by when it had to be gone; nothing can be taken any more."""
    made = pools(tmp_path)
    made.run(POOLS, "2025-05", made.write(POOLS, 5))
    made.record(("csp-ft-2024", "declared_unnecessary", {"on": "2025-05-12"}))
    purge(made.workspace, "csp-ft-2024")
    (found,) = made.deliveries()
    one = Portal(made).visitor("partner", OWN)
    assert [row["state"] for row in one.get("/parcels?format=json").json()] == ["data destroyed: destroy your copies"]
    page = words(one.get(f"/parcels/{found.id}"))
    assert "12 May 2025" in page
    assert "declared unnecessary" in page
    refused = one.post(f"/parcels/{found.id}/key")
    assert (refused.status_code, "destroyed with its convention's data" in words(refused)) == (400, True)
    for way in ("/open", "/receipt/line"):
        assert one.get(f"/parcels/{found.id}{way}").status_code == 400
    made.workspace.close()


def test_the_file_is_the_parcel(partner: Visitor, parcel: str) -> None:
    """What is downloaded is a tar whose members are those of a parcel."""
    with tarfile.open(fileobj=io.BytesIO(partner.get(f"/parcels/{parcel}/file").content)) as tar:
        assert tar.getnames()[:2] == ["extract.csv.age", "manifest.json"]
