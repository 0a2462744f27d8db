"""A partner in a real browser: opens a parcel with two locks, signs its receipt and an attestation, makes a key; no private key leaves the page."""

from __future__ import annotations

import csv
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, Request, expect

from passerelle.handover.evidence import trust_from
from passerelle.keys import fingerprint, parse_private, parse_recipient
from passerelle.parcel import archive
from passerelle.receipt import read_receipt, sign_receipt
from passerelle.receipt.attestation import read_attestation, sign_attestation
from passerelle.store import attestations as store
from passerelle.store import partners
from passerelle.store.tables import receipt
from retention.attestations import request as ask
from tests.browser.conftest import People
from tests.browser.driving import Person, Served, serving
from tests.browser.test_every_page import looked_at
from tests.gateway import CSP_FILED, TWO, Gateway, shell, two_recipients
from tests.receipt.conftest import enrol, ssh_key

NOW = "2025-05-12T10:00:00+02:00"
OWN = "mtfp"
ROWS = 200


@dataclass
class Ministry:
    """The ministry's two keys as files, and what its parcel holds."""

    served: Served
    age: Path
    ssh: Path
    extract: bytes
    sent: list[bytes] = field(default_factory=list)

    @property
    def parcel(self) -> str:
        return self.served.gateway.deliveries(recipient=OWN, state="delivered")[0].id

    @property
    def file(self) -> Path:
        return self.served.gateway.folder / "partners" / OWN / f"{self.parcel}.tar"

    def listens(self, request: Request) -> None:
        self.sent.append(request.url.encode() + (request.post_data_buffer or b""))


@pytest.fixture(scope="module")
def ministry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministry]:
    """A gateway that delivered one pool to a ministry with an age key and an SSH key, and asked it to attest."""
    folder = tmp_path_factory.mktemp("partner")
    made = Gateway.create(folder / "gateway", NOW).record(*CSP_FILED).partner(OWN)
    ssh = ssh_key(folder)
    enrol(made, OWN, ssh.with_suffix(".pub").read_text())
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, ROWS))
    ask(made.workspace, TWO.partition("/")[0])
    age = folder / "age.txt"
    age.write_text(f"# a comment\n{made.identities[OWN].secret}\n")
    (parcel,) = (path for path in made.parcels(OWN) if path.suffix == ".tar")
    with serving(made) as served:
        yield Ministry(served, age, ssh, made.opened(parcel, OWN, folder / "out"))
    made.workspace.close()


@pytest.fixture
def paul(ministry: Ministry, people: People) -> Person:
    """Someone of the ministry, whose every request is listened to."""
    one = people(ministry.served)
    one.enter("partner", OWN)
    one.page.on("request", ministry.listens)
    return one


def opens(page: Page, key: Path) -> None:
    """Choose the file of a key and open the parcel with it."""
    page.get_by_label("Le fichier de votre clé", exact=True).set_input_files(key)
    page.get_by_role("button", name="Ouvrir").click()


def saved(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def signer_of(gateway: Gateway) -> str:
    """The fingerprint of the key that the gateway signs with, as its partners were handed it."""
    (signer,) = trust_from(gateway.home / "trust").signers
    return fingerprint(signer.key)


def handed(ministry: Ministry) -> int:
    return len(ministry.served.gateway.entries("release_key_handed"))


@pytest.mark.parametrize("kind", ["age", "ssh"])
def test_a_parcel_with_two_locks_is_opened_here(ministry: Ministry, paul: Person, kind: str) -> None:
    """With an age or an SSH key the extract comes out byte for byte, its second lock's key is logged, and the private key never leaves."""
    key: Path = getattr(ministry, kind)
    before = handed(ministry)
    page = paul.open(f"/parcels/{ministry.parcel}")
    page.get_by_role("link", name="Ouvrir dans le navigateur").click()
    opens(page, key)
    expect(page.get_by_role("status").first).to_contain_text("Le colis est ouvert")
    expect(page.locator("[data-facts]")).to_contain_text(hashlib.sha256(ministry.extract).hexdigest())
    expect(page.locator("[data-signer]")).to_have_text(signer_of(ministry.served.gateway))
    assert looked_at(paul, f"partenaire-colis-ouvert-{kind}") == []
    with page.expect_download() as caught:
        page.get_by_role("link", name="Enregistrer l'extrait").click()
    assert caught.value.suggested_filename == f"{ministry.parcel}.csv"
    assert saved(caught.value) == ministry.extract
    assert handed(ministry) == before + 1
    secret = key.read_text().splitlines()[1].encode()
    assert len(ministry.sent) > 3
    assert not any(secret in one for one in ministry.sent)


def test_a_key_that_does_not_fit_is_told_before_anything_is_asked(
    ministry: Ministry, paul: Person, tmp_path: Path
) -> None:
    """Another's key, a public half, a protected and a damaged file each say what to do; no second lock's key is taken."""
    before = handed(ministry)
    page = paul.open(f"/parcels/{ministry.parcel}/open")
    protected, rsa = tmp_path / "protected", ssh_key(tmp_path, "rsa", "-b", "2048", name="rsa")
    shell(f"ssh-keygen -q -t ed25519 -N secret-phrase -f {protected}", tmp_path)
    secret = ministry.served.gateway.identities[OWN].secret
    (damaged := tmp_path / "damaged").write_text(secret[:-1] + ("Q" if secret[-1] != "Q" else "P"))
    (other := tmp_path / "other").write_text(shell("age-keygen 2>/dev/null", tmp_path))
    for file, said in (
        (other, "Ce n'est pas la clé à laquelle ce colis est scellé"),
        (ssh_key(tmp_path, name="another"), "Ce n'est pas la clé à laquelle ce colis est scellé"),
        (ministry.ssh.with_suffix(".pub"), "ne contient pas de clé privée"),
        (protected, "protégée par une phrase de passe"),
        (rsa, "n'ouvre pas dans le navigateur"),
        (damaged, "Le fichier de cette clé est abîmé"),
    ):
        opens(page, file)
        expect(page.get_by_role("alert")).to_contain_text(said)
    assert handed(ministry) == before


def test_a_parcel_damaged_on_the_way_gives_nothing(ministry: Ministry, paul: Person) -> None:
    """One bit changed in the sealed extract, in the manifest or in a notice, a file that is cut or goes on: told where, and no extract is offered."""
    whole = ministry.file.read_bytes()
    size = int(whole[124:135], 8)
    manifest, notice = whole.index(b'{"$schema"'), whole.index(b"COLIS ")
    damages = (
        (600, "extract.csv.age"),
        (512 + size - 100, "extract.csv.age"),
        (manifest + 40, "manifest.json"),
        (whole.index(b"-----BEGIN SSH") + 80, "manifest.json.sig"),
        (notice, "LISEZMOI.txt"),
    )
    try:
        for at, place in damages:
            ministry.file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            page = paul.open(f"/parcels/{ministry.parcel}/open")
            opens(page, ministry.age)
            expect(page.get_by_role("alert").first).to_contain_text("abîmé en route")
            expect(page.get_by_role("alert").first).to_contain_text(place)
            expect(page.locator("[data-extract]")).to_be_hidden()
        for more in (b"\0", whole):
            ministry.file.write_bytes(whole + more)
            page = paul.open(f"/parcels/{ministry.parcel}/open")
            opens(page, ministry.age)
            expect(page.get_by_role("alert").first).to_contain_text("En cause : end")
        ministry.file.write_bytes(whole[: size // 2])
        page = paul.open(f"/parcels/{ministry.parcel}/open")
        opens(page, ministry.age)
        expect(page.get_by_role("alert").first).to_contain_text("interrompu")
    finally:
        ministry.file.write_bytes(whole)


READS = """async (bytes) => {
  const { opened } = await import("/static/parcel.js"), nothing = () => {};
  const given = { release: null, opens: [], expected: "", signers: [], sink: nothing, progress: nothing };
  return opened(new Blob([Uint8Array.from(bytes)]).stream(), given).catch((fault) => `${fault.word} ${fault.detail}`); }"""


def tarred(kind: bytes = tarfile.REGTYPE, name: str = "extract.csv.age", **facts: int) -> bytes:
    """The header that stock tools write for a member."""
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime, member.size = kind, 0o644, 1_700_000_000, 600
    for fact, value in facts.items():
        setattr(member, fact, value)
    return member.tobuf(tarfile.GNU_FORMAT)


def test_a_header_that_no_parcel_has_is_refused(paul: Person) -> None:
    """The page takes a header only when it is, bit by bit, the one of its name, size and instant: no size below zero or beyond counting, no path, no link."""
    page = paul.open("/parcels")
    good = archive.header("extract.csv.age", 600, 1_700_000_000)
    for header in (good, archive.header("extract.csv.age", 9 << 30, 1_700_000_000)):
        assert page.evaluate(READS, list(header + bytes(1024))) in {"damaged extract.csv.age", "cut "}
    for header in (
        tarred(size=-8), tarred(size=1 << 60), tarred(mode=0o777), tarred(uid=1000), tarred(mtime=-1), tarred(tarfile.SYMTYPE),
        tarred(tarfile.XHDTYPE), tarred(name="../extract.csv.age"), tarred(name="/extract.csv.age"), tarred(name="é.age"),
        good[:124] + b"-0000000010\0" + good[136:], good[:511] + b"x", bytes(512),
    ):  # fmt: skip
        assert page.evaluate(READS, list(header)) == "damaged header", header


COUNTED = """async ([table, size]) => {
  const { Rows } = await import("/static/parcel.js"), rows = new Rows(), bytes = new TextEncoder().encode(table);
  for (let at = 0; at < bytes.length; at += size) rows.update(bytes.subarray(at, at + size));
  return rows.count; }"""


def test_rows_are_counted_as_csv_has_them(paul: Person) -> None:
    """Line feeds in quotes are no rows, a last line without one is, wherever the pieces are cut."""
    page = paul.open("/parcels")
    for rows in (
        [["a", "b"]],
        [["a", "b"], ["1", "2"]],
        [["a"], ['x\n"y"\n'], ["é,\nz"], ["plain"]],
        [["a"], *[[str(n)] for n in range(50)]],
    ):
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        for table in (out.getvalue(), out.getvalue().rstrip("\r\n")):
            for size in (1, 3, 7, 64):
                assert page.evaluate(COUNTED, [table, size]) == len(rows) - 1, (table, size)


# A file of the browser's own (OPFS) stands for the one that a visitor chooses in a dialog, which no test can reach; it is written alike.
CHOOSES = """() => { window.showSaveFilePicker = async ({ suggestedName }) =>
  (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
  document.querySelector("[data-open]").dataset.bytes = 1e9; }"""
WRITTEN = (
    """async (name) => (await (await (await navigator.storage.getDirectory()).getFileHandle(name)).getFile()).text()"""
)


def test_a_large_extract_goes_to_a_file_and_a_damaged_one_does_not(ministry: Ministry, paul: Person) -> None:
    """From 100 MB on the extract is written piece by piece into the chosen file, which stays empty when something does not hold."""
    whole, name = ministry.file.read_bytes(), f"{ministry.parcel}.csv"
    try:
        for data, status, written in (
            (whole[:-600] + b"x" + whole[-599:], "abîmé en route", ""),
            (whole, "écrit dans le fichier", ministry.extract.decode()),
        ):
            ministry.file.write_bytes(data)
            page = paul.open(f"/parcels/{ministry.parcel}/open")
            page.evaluate(CHOOSES)
            opens(page, ministry.age)
            expect(page.locator("form[data-open]")).to_contain_text(status)
            assert page.evaluate(WRITTEN, name) == written
    finally:
        ministry.file.write_bytes(whole)


def test_a_receipt_is_signed_here_and_recorded(ministry: Ministry, paul: Person) -> None:
    """After opening, the SSH key signs the receipt in the page; the gateway records it, and ssh-keygen's signature has the same bytes."""
    page = paul.open(f"/parcels/{ministry.parcel}/open")
    opens(page, ministry.age)
    page.get_by_label("Le fichier de votre clé SSH").set_input_files(ministry.age)
    page.get_by_role("button", name="Signer et remettre l'accusé").click()
    expect(page.get_by_role("alert").last).to_contain_text("Une clé age ne signe pas")
    page.get_by_label("Le fichier de votre clé SSH").set_input_files(ministry.ssh)
    page.get_by_role("button", name="Signer et remettre l'accusé").click()
    expect(page.locator(".notice")).to_contain_text("Accusé de réception enregistré")
    with ministry.served.gateway.workspace.database.read() as connection:
        (row,) = connection.execute(receipt.select()).all()
    assert (row.parcel, row.party) == (ministry.parcel, OWN)
    assert sign_receipt(read_receipt(row.body), parse_private(ministry.ssh.read_bytes())) == row.body
    paul.picture("partenaire-colis")


def test_an_attestation_is_signed_here_and_recorded(ministry: Ministry, paul: Person) -> None:
    """The line is made of what the form says, signed in the page and recorded."""
    page = paul.open("/attestations")
    page.get_by_role("link", name="ar-").click()
    page.get_by_label("Le fichier de votre clé SSH").set_input_files(ministry.ssh)
    paul.picture("partenaire-attestation")
    page.get_by_role("button", name="Signer et remettre l'attestation").click()
    expect(page.locator(".notice")).to_contain_text("tout est attesté")
    expect(page.get_by_role("heading", level=1)).to_have_text("Attestations de destruction")
    with ministry.served.gateway.workspace.database.read() as connection:
        (row,) = store.attestations(connection, party=OWN)
    assert sign_attestation(read_attestation(row.body), parse_private(ministry.ssh.read_bytes())) == row.body


@pytest.mark.parametrize(
    ("button", "public_of"), [("Créer une clé SSH", "ssh-keygen -y -f"), ("Créer une clé age", "age-keygen -y")]
)
def test_a_key_is_made_here_and_its_public_half_enrolled(
    ministry: Ministry, paul: Person, tmp_path: Path, button: str, public_of: str
) -> None:
    """The private half is saved as a file that the stock tool reads, the public half is filled in after, and enrolled."""
    page = paul.open("/keys/new")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_label("Clé publique")).to_have_value("")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Enregistrez d'abord la moitié privée").click()
    (kept := tmp_path / "made").write_bytes(saved(caught.value))
    kept.chmod(0o600)
    public = " ".join(shell(f"{public_of} {kept}", tmp_path).split()[:2])
    expect(page.get_by_label("Clé publique")).to_have_value(public)
    page.get_by_label("Clé publique").press("Enter")
    expect(page.locator(".notice")).to_contain_text(parse_recipient(public).fingerprint)
    with ministry.served.gateway.workspace.database.read() as connection:
        assert public in {one.recipient for one in partners.keys(connection, OWN)}
    assert looked_at(paul, "partenaire-cles") == []
    page.get_by_role("link", name="Y mettre fin, ou la révoquer").first.click()
    assert looked_at(paul, "partenaire-fin-de-cle") == []
    secret = kept.read_bytes().split(b"\n")[2]
    assert not any(secret in one for one in ministry.sent)
