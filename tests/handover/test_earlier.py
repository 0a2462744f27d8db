"""Parcels sent again, and parcels that take the place of earlier ones."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from flows import assembly
from passerelle import boundary
from passerelle.errors import (
    EvidenceError,
    GateRefusedError,
    KeyStoreError,
    OurWayError,
    ParcelError,
    RefusedError,
    UsageError,
)
from passerelle.handover import folders
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.handover.order import Outcome
from passerelle.handover.resend import resend
from passerelle.keys import Identity, age_sink
from passerelle.parcel import open_parcel, verify
from passerelle.parcel.superseded import notice_name
from passerelle.receipt.recording import reconcile
from tests.gateway import (
    CSP_ENDED,
    POOLS,
    STUDIES,
    Gateway,
    assert_sequences_without_gap,
    files_under,
    pools,
    studies,
    trail_holds,
    two_recipients,
)
from tests.killing import Mortals, Task

PERIOD, ROWS, NOW = "2025-05", 60, "2025-05-12T06:00:00+02:00"


def again(gateway: Gateway, parcel: str, reason: str = "lost") -> Outcome:
    """The parcel, sent again."""
    return resend(gateway.workspace, parcel, reason, assembly.tools_for, actor="test")


def correct(gateway: Gateway, parcel: str, source: Path, which: str = POOLS, reason: str = "corrected") -> Outcome:
    """A corrected file in the place of the parcel's."""
    order = replace(gateway.order(which, PERIOD, source), supersedes=parcel, reason=reason)
    return assembly.run(gateway.workspace, order)


def sent(gateway: Gateway, name: str) -> Path:
    """What lies in the ministry's folder under that name."""
    return gateway.folder / "partners" / "mtfp" / name


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path, str, Path]:
    """A pool delivered to its ministry, kept aside; the parcel's id and the corrected file."""
    folder = tmp_path_factory.mktemp("saved")
    gateway = pools(folder / "gateway")
    outcome = gateway.run(POOLS, PERIOD, gateway.write(POOLS, ROWS, bad_rate=0.02))
    corrected = gateway.write(POOLS, ROWS, seed=1, name="corrected.csv")
    return gateway, gateway.saved(folder / "saved"), outcome.deliveries[0].parcel, corrected


@pytest.fixture
def world(saved: tuple[Gateway, Path, str, Path]) -> tuple[Gateway, str, Path]:
    """The gateway as it was when the pool had been delivered."""
    gateway, aside, parcel, corrected = saved
    return gateway.restored(aside), parcel, corrected


def holds(gateway: Gateway) -> None:
    """What is true after any end: numbers without gap, copies that the register knows, no file half written, a whole trail."""
    assert_sequences_without_gap(gateway)
    known = {gateway.workspace.path(copy.location) for copy in gateway.present()}
    assert set(files_under(gateway.home)) <= known
    assert {path for path in known if not path.exists()} == set()
    assert not list(gateway.folder.rglob("*.part"))
    assert gateway.runs(state="running") == []
    trail_holds(gateway.workspace)


def test_the_same_extract_is_sent_again_under_a_new_number(world: tuple[Gateway, str, Path], tmp_path: Path) -> None:
    """A resend opens to the same bytes with a second lock of its own, is numbered next, names the earlier one, and happens once."""
    gateway, parcel, _ = world
    first = gateway.opened(sent(gateway, f"{parcel}.tar"), "mtfp", tmp_path / "first")
    made = again(gateway, parcel)
    new = made.deliveries[0].parcel
    assert new != parcel
    assert gateway.opened(sent(gateway, f"{new}.tar"), "mtfp", tmp_path / "second") == first
    terms = verify(sent(gateway, f"{new}.tar"), trust_from(gateway.home / "trust")).parcel.manifest.passerelle
    assert (terms.sequence, terms.resends and terms.resends.parcel, terms.supersedes) == (2, parcel, None)
    assert gateway.entries("delivery_intent")[-1]["resends"] == parcel
    release = hand_release_key(gateway.workspace, parcel, "mtfp", actor="test")
    assert release.secret != hand_release_key(gateway.workspace, new, "mtfp", actor="test").secret
    assert again(gateway, parcel).state == "duplicate"
    third = again(gateway, new)
    assert (third.state, third.deliveries[0].parcel in {parcel, new}) == ("delivered", False)
    notice = subprocess.run(
        ["tar", "-xOf", sent(gateway, f"{new}.tar"), "LISEZMOI.txt"], capture_output=True, check=True, timeout=60
    )
    assert f"nouvel envoi du colis {parcel} (perdu)" in notice.stdout.decode()
    with gateway.workspace.database.read() as connection:
        standing = {one.parcel: one.resent_as for one in reconcile(gateway.workspace, connection)}
    assert standing[parcel] == new
    holds(gateway)


def test_what_had_not_happened_is_rejected_when_the_extract_is_sent_again(tmp_path: Path) -> None:
    """An agreement dated after the run is rejected, and again by a resend on that later date: the extract is the same."""
    gateway = pools(tmp_path / "gateway")
    source = gateway.write(POOLS, ROWS)
    header, first, *rest = source.read_bytes().decode("cp1252").split("\r\n")
    agreed = header.split(";").index("consented_on")
    cells = first.split(";")
    source.write_bytes(
        "\r\n".join([header, ";".join([*cells[:agreed], "13/05/2025", *cells[agreed + 1 :]]), *rest]).encode("cp1252")
    )
    outcome = gateway.run(POOLS, PERIOD, source)
    told = [(one["rule"], one["column"], one["first_rows"]) for one in outcome.by_rule]
    assert told == [("happened", "consented_on", [1])]
    made = again(gateway.move_to("2025-05-20T06:00:00+02:00"), outcome.deliveries[0].parcel)
    assert (made.state, made.counts["rejected"]) == ("delivered", 1)
    holds(gateway)


def test_a_resend_goes_through_the_gate(world: tuple[Gateway, str, Path]) -> None:
    """After the convention's end a resend is a new delivery, and is refused like any other; the raw copy is not read."""
    gateway, parcel, _ = world
    gateway.move_to("2025-06-11T06:00:00+02:00").record(CSP_ENDED).move_to("2026-06-10T06:00:00+02:00")
    with pytest.raises(GateRefusedError):
        again(gateway, parcel)
    assert len(gateway.parcels("mtfp")) == 1
    assert [entry.get("resends") for entry in gateway.entries("delivery_intent")] == [None]


def test_what_cannot_be_sent_again_says_why(world: tuple[Gateway, str, Path]) -> None:
    """No such parcel, no such reason, a raw copy altered or gone: each is refused for its own reason and nothing leaves."""
    gateway, parcel, corrected = world
    with pytest.raises(UsageError, match="no parcel of that id"):
        again(gateway, "p-nothing")
    with pytest.raises(UsageError, match="expected a reason, one of lost"):
        again(gateway, parcel, "corrected")
    (raw,) = gateway.present(kind="raw")
    path = gateway.workspace.path(raw.location)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(EvidenceError, match="altered or cut"):
        again(gateway, parcel)
    key = gateway.workspace.keys.copy_key("csp-ft-2024", raw.location)
    with path.open("wb") as file, age_sink(file, [key.recipient]) as sink:
        sink.write(corrected.read_bytes())
    with pytest.raises(EvidenceError, match="not the file that the trail tells of"):
        again(gateway, parcel)
    path.write_bytes(data)
    assert len(gateway.parcels("mtfp")) == 1
    assert again(gateway, parcel).state == "delivered"
    holds(gateway)


def test_a_corrected_extract_closes_the_earlier_one(world: tuple[Gateway, str, Path], tmp_path: Path) -> None:
    """The later manifest names the earlier parcel, whose second lock is destroyed and handed to nobody; its recipient is told."""
    gateway, parcel, corrected = world
    release = hand_release_key(gateway.workspace, parcel, "mtfp", actor="test")
    made = correct(gateway, parcel, corrected)
    new = made.deliveries[0].parcel
    verified = verify(sent(gateway, f"{new}.tar"), trust_from(gateway.home / "trust"))
    assert verified.parcel.manifest.passerelle.supersedes is not None
    assert verified.parcel.manifest.passerelle.supersedes.parcels == (parcel,)
    assert not gateway.workspace.path(f"releases/{parcel}.key").exists()
    assert [copy.location for copy in gateway.present(kind="release")] == [f"releases/{new}.key"]
    with pytest.raises(RefusedError, match=f"superseded on 2025-05-12 by {new}") as caught:
        hand_release_key(gateway.workspace, parcel, "mtfp", actor="test")
    assert caught.value.hint is not None
    assert new in caught.value.hint
    assert new in (caught.value.hint_fr or "")
    (told,) = gateway.entries("superseded")
    assert (told["parcel"], told["by"], told["reason"]) == (parcel, new, "corrected")
    assert gateway.entries("supersession_told")[0]["keys"] == 1
    assert gateway.opened(sent(gateway, f"{new}.tar"), "mtfp", tmp_path / "out")
    assert release.secret
    with gateway.workspace.database.read() as connection:
        old, standing = reconcile(gateway.workspace, connection, days=0)
    assert (old.parcel, old.superseded_by, old.late, standing.superseded_by) == (parcel, new, False, None)
    assert correct(gateway, parcel, corrected).state == "duplicate"
    holds(gateway)


def test_the_notice_is_checked_with_stock_tools(world: tuple[Gateway, str, Path]) -> None:
    """The notice names parcel, date and what to do in both languages, and its own command verifies it."""
    gateway, parcel, corrected = world
    new = correct(gateway, parcel, corrected).deliveries[0].parcel
    text = sent(gateway, notice_name(parcel)).read_text("utf-8")
    for words in (
        f"COLIS REMPLACÉ : {parcel}",
        f"PARCEL SUPERSEDED: {parcel}",
        f"Par le colis    {new}",
        "12 mai 2025",
        "12 May 2025",
        "données corrigées",
        "data corrected",
        "Détruisez-en toutes les copies",
        "Confirm it in writing",
    ):
        assert words in text
    (command,) = (line.strip() for line in text.splitlines() if line.startswith("    ssh-keygen"))
    folder = sent(gateway, "").resolve()
    (folder / "allowed_signers").write_bytes((gateway.home / "trust" / "allowed_signers").read_bytes())
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=True, timeout=60)
    assert done.stdout.startswith(b'Good "passerelle-notice" signature for passerelle')
    (folder / notice_name(parcel)).write_text(text.replace("12 mai", "13 mai"))
    assert subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False, timeout=60).returncode


def test_a_resend_is_closed_with_the_parcel_it_repeats(world: tuple[Gateway, str, Path]) -> None:
    """Superseding either one closes both; what is closed is neither sent again nor superseded again."""
    gateway, parcel, corrected = world
    second = again(gateway, parcel).deliveries[0].parcel
    new = correct(gateway, second, corrected).deliveries[0].parcel
    assert sorted(entry["parcel"] for entry in gateway.entries("superseded")) == sorted((parcel, second))
    for closed in (parcel, second):
        with pytest.raises(RefusedError, match=f"by {new}"):
            again(gateway, closed)
        with pytest.raises(RefusedError, match=f"by {new}"):
            hand_release_key(gateway.workspace, closed, "mtfp", actor="test")
        assert sent(gateway, notice_name(closed)).exists()
    third = gateway.write(POOLS, ROWS, seed=2, name="third.csv")
    with pytest.raises(RefusedError, match=f"by {new}"):
        correct(gateway, parcel, third)
    assert correct(gateway, new, third).state == "delivered"
    holds(gateway)


def test_what_supersedes_nothing_is_refused(world: tuple[Gateway, str, Path]) -> None:
    """The same file, another period, another exchange or no reason on the list correct nothing; the earlier parcel stands."""
    gateway, parcel, corrected = world
    with pytest.raises(UsageError, match="expected a reason, one of corrected"):
        correct(gateway, parcel, corrected, reason="Jean Dupont")
    with pytest.raises(UsageError, match="no parcel of that id"):
        correct(gateway, "p-nothing", corrected)
    with pytest.raises(RefusedError, match="delivered already, as"):
        correct(gateway, parcel, gateway.folder / "sent" / "sample.csv")
    order = replace(gateway.order(POOLS, "2025-06", corrected), supersedes=parcel, reason="corrected")
    with pytest.raises(RefusedError, match="same exchange and period"):
        assembly.run(gateway.workspace, order)
    assert gateway.entries("superseded") == []
    assert hand_release_key(gateway.workspace, parcel, "mtfp", actor="test").secret
    holds(gateway)


def test_figures_have_one_lock_and_a_notice_that_says_so(tmp_path: Path) -> None:
    """A superseded parcel of figures is announced as one that its recipient's key still opens."""
    gateway = studies(tmp_path)
    parcel = gateway.run(STUDIES, "2019", gateway.write(STUDIES, 40)).deliveries[0].parcel
    source = gateway.write(STUDIES, 40, seed=1, name="other.csv")
    order = replace(gateway.order(STUDIES, "2019", source), supersedes=parcel, reason="incomplete")
    assembly.run(gateway.workspace, order)
    text = (tmp_path / "partners" / "region-paca" / notice_name(parcel)).read_text("utf-8")
    assert "Ce colis n'a qu'un verrou" in text
    assert gateway.entries("supersession_told")[0]["keys"] == 0


def test_every_recipient_of_the_earlier_extract_is_served_and_told(tmp_path: Path) -> None:
    """With two recipients, naming the parcel of one closes those of both, each by its own."""
    gateway = pools(tmp_path)
    which = two_recipients(gateway)
    first = gateway.run(which, PERIOD, gateway.write(POOLS, ROWS))
    corrected = gateway.write(POOLS, ROWS, seed=1, name="corrected.csv")
    made = correct(gateway, first.deliveries[1].parcel, corrected, which)
    closed = {entry["recipient"]: (entry["parcel"], entry["by"]) for entry in gateway.entries("superseded")}
    pairs = zip(first.deliveries, made.deliveries, strict=True)
    assert closed == {old.recipient: (old.parcel, new.parcel) for old, new in pairs}
    assert len(closed) == 2
    holds(gateway)


def test_a_missing_second_lock_is_not_taken_for_one_lock(world: tuple[Gateway, str, Path], tmp_path: Path) -> None:
    """When the file with a second lock's key is gone, the gateway says so, and the parcel can be sent again."""
    gateway, parcel, _ = world
    gateway.workspace.path(f"releases/{parcel}.key").rename(tmp_path / "lost")
    with pytest.raises(KeyStoreError, match="second lock is missing"):
        hand_release_key(gateway.workspace, parcel, "mtfp", actor="test")
    (tmp_path / "lost").rename(gateway.workspace.path(f"releases/{parcel}.key"))
    assert again(gateway, parcel).state == "delivered"


def test_a_folder_that_takes_nothing_is_named_and_left_clean(tmp_path: Path) -> None:
    """Where a parcel cannot be put, the error says whose folder it is and nothing half written stays."""
    staged, folder = tmp_path / "p-a.tar", tmp_path / "file"
    staged.write_bytes(b"sealed")
    folder.write_bytes(b"")
    with pytest.raises(OurWayError, match="recipient's folder cannot be written"):
        folders.put_in_folder(staged, folder)
    (tmp_path / "there" / staged.name).mkdir(parents=True)
    with pytest.raises(OurWayError, match="recipient's folder cannot be written"):
        folders.put_in_folder(staged, tmp_path / "there")
    assert [path.name for path in (tmp_path / "there").iterdir()] == [staged.name]
    assert staged.read_bytes() == b"sealed"
    for error in (OSError(28, "full"), OSError(122, "quota"), OSError(27, "too large")):
        assert "full" in folders.not_written(error).message


def _limited(path: Path, size: int) -> int:
    """Give the status of a process that may write no file larger than ``size`` bytes, sealing more into ``path``."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 9
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        @boundary.sealed
        def seal() -> None:
            with path.open("wb", buffering=0) as file, age_sink(file, [Identity.generate().recipient]) as sink:
                sink.write(bytes(4 * size))

        seal()
    except OurWayError as error:
        status = 0 if "the disk is full" in error.message and error.fr else 8
    finally:
        os._exit(status)


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """Where the disk takes no more, the error says so instead of being unforeseen."""
    assert _limited(tmp_path / "a.age", 1 << 20) == 0


def test_the_earlier_lock_opens_nothing_of_the_later_parcel(world: tuple[Gateway, str, Path], tmp_path: Path) -> None:
    """A second lock's key handed out before does not open the corrected parcel."""
    gateway, parcel, corrected = world
    release = hand_release_key(gateway.workspace, parcel, "mtfp", actor="test")
    new = correct(gateway, parcel, corrected).deliveries[0].parcel
    verified = verify(sent(gateway, f"{new}.tar"), trust_from(gateway.home / "trust"))
    with pytest.raises(ParcelError, match="outer lock"):
        open_parcel(verified.parcel, [gateway.identities["mtfp"]], release, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["supersede", "resend"])
def test_killed_at_every_act_of_closing_and_sending_again(
    mortals: Mortals, saved: tuple[Gateway, Path, str, Path], verb: str
) -> None:
    """Killed before any change of the disk or after any commit from the intent on, the same command ends as if it had lived."""
    gateway, aside, parcel, corrected = saved
    sends = {
        "supersede": {"period": PERIOD, "source": str(corrected), "supersedes": parcel},
        "resend": {"resends": parcel},
    }
    task = Task(str(gateway.home), NOW, POOLS, **sends[verb])  # type: ignore[arg-type]  # what is sent, by name
    gateway.restored(aside).workspace.close()
    point, deaths, begun = mortals.run(task).changes, 0, True
    while begun:
        gateway = gateway.restored(aside)
        gateway.workspace.close()
        assert mortals.run(replace(task, change=point)).killed
        gateway = gateway.reopened()
        closed, begun = bool(gateway.entries("superseded")), len(gateway.deliveries()) > 1
        _never_both(gateway, parcel)
        made = correct(gateway, parcel, corrected) if verb == "supersede" else again(gateway, parcel)
        assert len(gateway.entries("delivered")) == 2
        if verb == "supersede":
            assert [entry["by"] for entry in gateway.entries("superseded")] == [made.deliveries[0].parcel]
            assert len(gateway.entries("supersession_told")) == 1
            assert sent(gateway, f"{notice_name(parcel)}.sig").exists()
            assert not gateway.workspace.path(f"releases/{parcel}.key").exists()
        holds(gateway)
        deaths += 1
        point -= 1 if closed or verb == "resend" else 3  # before it is closed, it is a delivery like any other
    assert deaths > 8


def _never_both(gateway: Gateway, parcel: str) -> None:
    """Whatever the instant of death, the earlier lock is handed out exactly as long as the trail does not tell that it is closed."""
    if gateway.entries("superseded"):
        with pytest.raises(RefusedError, match="superseded"):
            hand_release_key(gateway.workspace, parcel, "mtfp", actor="test")
    else:
        assert hand_release_key(gateway.workspace, parcel, "mtfp", actor="test").secret
