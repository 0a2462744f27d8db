"""A whole gateway in a temporary folder, at a pretended instant: partners with approved keys, real exchanges, and what must hold after."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.samples import sample
from flows import assembly
from passerelle.clock import PretendedClock
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.handover.order import Order, Outcome, Progress, quiet
from passerelle.handover.recording import record_event
from passerelle.keys import Identity, Recipient
from passerelle.parcel import open_parcel, verify
from passerelle.store import holdings, partners, runs
from passerelle.store.runs import Delivery
from passerelle.trail.fsck import Report, check
from passerelle.workspace import Settings, Workspace, partner_keys

COPIES = ("holdings", "index", "outbox", "releases", "staging")
STUDIES, OUTCOMES, ENTRIES = "paca-pe-2016/studies", "paca-pe-2016/training-outcomes", "paca-pe-2016/training-entries"
POOLS, OFFERS = "csp-ft-2024/candidate-pools", "csp-ft-2024/public-job-offers"
SHARED = "face-pe-2014/shared-studies"
TWO = "two-ministries/candidate-pools"
ROOT = Path(__file__).resolve().parent.parent
DATASETS = {
    TWO: "candidate_pool",
    STUDIES: "studies_bmo",
    SHARED: "studies_bmo",
    OUTCOMES: "training_outcomes",
    ENTRIES: "training_entries",
    POOLS: "candidate_pool",
    OFFERS: "job_offers",
}
PACA_SIGNED = ("paca-pe-2016", "signed", {"on": "2016-03-31"})
PACA_RECORD = ("paca-pe-2016", "precondition_recorded", {"id": "processing-record", "exchange": "training-entries", "on": "2016-04-01"})  # fmt: skip
CSP_FILED = (
    ("csp-ft-2024", "instrument_recorded", {"id": "candidate-pool-agreement", "on": "2025-05-05"}),
    ("csp-ft-2024", "instrument_recorded", {"id": "security-measures-agreement", "on": "2025-05-05"}),
    ("csp-ft-2024", "precondition_recorded", {"id": "sensitivity-assessment", "on": "2025-05-05"}),
    ("csp-ft-2024", "precondition_recorded", {"id": "processing-record", "exchange": "candidate-pools", "on": "2025-05-05"}),
)  # fmt: skip
CSP_ENDED = ("csp-ft-2024", "termination_letter", {"by": "cheops", "form": "registered_letter_ar", "received_on": "2025-06-10"})  # fmt: skip


def at(text: str) -> datetime:
    """An instant."""
    return datetime.fromisoformat(text)


@dataclass
class Gateway:
    """A workspace, where its partners' folders are, and the partners' own keys."""

    workspace: Workspace
    folder: Path
    database_url: str | None = None
    identities: dict[str, Identity] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, instant: str, database_url: str | None = None) -> Gateway:
        """A new rehearsal under ``folder``, whose clock stands at ``instant``."""
        settings = Settings(folder / "workspace", database_url, at(instant))
        return cls(Workspace.create(settings, rehearsal=True), folder, database_url)

    @property
    def home(self) -> Path:
        return self.workspace.home

    def move_to(self, instant: str) -> Gateway:
        """Set the pretended clock."""
        self.workspace.clock = PretendedClock(at(instant))
        return self

    def record(self, *told: tuple[str, str, Mapping[str, Any]]) -> Gateway:
        """Record events: convention, kind, payload."""
        for convention, kind, payload in told:
            record_event(self.workspace, convention, kind, payload, by="test")
        return self

    def partner(self, party: str, *, own_folder: bool = True) -> Gateway:
        """A partner with a key that two people approved; its parcels go to its own folder, or to the outbox."""
        identity = Identity.generate()
        key, now = identity.recipient, self.workspace.now()
        self.identities[party] = identity
        with self.workspace.database.begin() as connection:
            place = str(self.folder / "partners" / party) if own_folder else None
            partners.add(connection, party, party, place, at=now)
        self.enrol(party, key)
        return self

    def enrol(self, party: str, key: Recipient, **validity: datetime | None) -> None:
        """One more key of a partner, approved by two people, as the command line does it."""
        partner_keys.enrol(self.workspace, party, key.text, by="partner", **validity)
        for person in ("first", "second"):
            partner_keys.approve(self.workspace, key.fingerprint, None, by=person)

    def write(self, which: str, rows: int, bad_rate: float = 0.0, seed: int = 0, name: str = "sample.csv") -> Path:
        """A sender's file for the exchange ``which``, outside the workspace."""
        path = self.folder / "sent" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(sample(DATASETS[which], rows, bad_rate, seed)))
        return path

    def order(self, which: str, period: str, source: Path, sender: str | None = None) -> Order:
        """The order for one exchange."""
        convention, _, exchange = which.partition("/")
        return Order(convention, exchange, period, source, sender)

    def run(
        self, which: str, period: str, source: Path, sender: str | None = None, progress: Progress = quiet
    ) -> Outcome:
        """Carry out one exchange by the engine, with the exchange's own contract and checks."""
        return assembly.run(self.workspace, self.order(which, period, source, sender), progress)

    def saved(self, to: Path) -> Path:
        """Close the gateway and keep a copy of it, as it is, in ``to``."""
        self.workspace.close()
        return Path(shutil.copytree(self.folder, to, symlinks=True))

    def restored(self, saved: Path) -> Gateway:
        """The gateway as it was saved, in its old place, open, at the same instant."""
        self.workspace.close()
        shutil.rmtree(self.folder)
        shutil.copytree(saved, self.folder, symlinks=True)
        return self.reopened()

    def reopened(self) -> Gateway:
        """The gateway as another process would open it."""
        self.workspace.close()
        settings = Settings(self.home, self.database_url, self.workspace.now())
        return replace(self, workspace=Workspace.open(settings))

    def parcels(self, party: str) -> list[Path]:
        """What lies in a partner's folder."""
        return sorted((self.folder / "partners" / party).glob("*"))

    def opened(self, parcel: Path, party: str, out: Path) -> bytes:
        """The extract of a parcel, verified and opened as its recipient does."""
        verified = verify(parcel, trust_from(self.home / "trust", party))
        name = verified.parcel.manifest.name
        two = len(verified.parcel.manifest.passerelle.locks) > 1
        release = hand_release_key(self.workspace, name, party, actor="test") if two else None
        return open_parcel(verified.parcel, [self.identities[party]], release, out).path.read_bytes()

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The trail's entries of one kind."""
        with self.workspace.database.read() as connection:
            return [dict(found.entry.body) for found in self.workspace.ledger.find(connection, kind)]

    def runs(self, **where: str) -> list[runs.Run]:
        """The runs so far."""
        with self.workspace.database.read() as connection:
            return runs.runs(connection, **where)

    def deliveries(self, **where: str) -> list[Delivery]:
        """The deliveries so far."""
        with self.workspace.database.read() as connection:
            return runs.deliveries(connection, **where)

    def present(self, **where: str) -> list[holdings.Holding]:
        """The registered copies that are not destroyed."""
        with self.workspace.database.read() as connection:
            return holdings.present(connection, **where)

    def kinds(self) -> list[str]:
        """The kinds of the copies that are present, sorted."""
        return sorted(copy.kind for copy in self.present())


def studies(folder: Path) -> Gateway:
    """The convention of 2016 in force in 2019, its Region ready to receive studies: figures, one lock."""
    return Gateway.create(folder, "2016-04-04T10:00:00+02:00").record(PACA_SIGNED, PACA_RECORD).partner("region-paca").partner("pole-emploi").move_to("2019-06-03T06:00:00+02:00")  # fmt: skip


def pools(folder: Path, database_url: str | None = None) -> Gateway:
    """The convention of 2024 with its pieces on file, its ministry ready to receive candidates: persons, two locks."""
    return Gateway.create(folder, "2025-05-06T10:00:00+02:00", database_url).record(*CSP_FILED).partner("mtfp").move_to("2025-05-12T06:00:00+02:00")  # fmt: skip


def two_recipients(gateway: Gateway) -> str:
    """Lay down a convention whose pools of candidates go to two ministries, and give its exchange."""
    text = (ROOT / "conventions" / "csp-ft-2024.yaml").read_text("utf-8")
    pool = text.index("- id: candidate-pools")
    assert text.count("\nid: csp-ft-2024\n") == 1
    both = text[pool:].replace("to: [mtfp]", "to: [mtfp, mtss]", 1)
    own = (text[:pool] + both).replace("\nid: csp-ft-2024\n", "\nid: two-ministries\n")
    (gateway.home / "conventions" / "two-ministries.yaml").write_text(own, "utf-8")
    gateway.record(*(("two-ministries", kind, payload) for _, kind, payload in CSP_FILED)).partner("mtss")
    return TWO


def files_under(home: Path) -> list[Path]:
    """Every file in the folders where copies live."""
    return sorted(path for name in COPIES for path in (home / name).rglob("*") if not path.is_dir())


def assert_no_orphans(gateway: Gateway) -> None:
    """Every file where copies live is a registered copy that is present, and every such copy is there, in full."""
    copies = {gateway.workspace.path(copy.location): copy for copy in gateway.present()}
    theirs = (path for path in (gateway.folder / "partners").rglob("*") if not path.is_dir())
    found = {
        path for path in (*files_under(gateway.home), *theirs) if not path.name.startswith("ar-")
    }  # no copies: requests to attest a destruction
    assert found - copies.keys() == set(), "files that no register knows"
    assert copies.keys() - found == set(), "registered copies that are not there"
    assert not list(gateway.home.rglob("*.part")), "a file half written"


def assert_sequences_without_gap(gateway: Gateway) -> None:
    """The deliveries of each exchange to each recipient are numbered from 1, without gap."""
    numbers: dict[tuple[str, str, str], list[int]] = {}
    for one in gateway.deliveries(state="delivered"):
        numbers.setdefault((one.convention, one.exchange, one.recipient), []).append(one.sequence)
    assert numbers
    assert all(sorted(seen) == list(range(1, len(seen) + 1)) for seen in numbers.values()), numbers


def trail_holds(workspace: Workspace) -> Report:
    """The report of the independent checker, which raises when the trail does not hold."""
    with workspace.database.read() as connection:
        return check(connection, workspace.ledger.verifier_key)


def rows_of(extract: bytes) -> list[dict[str, str]]:
    """An extract's rows by column, read by Python's own reader."""
    import csv
    import io

    return list(csv.DictReader(io.StringIO(extract.decode("utf-8"), newline="")))


def shell(command: str, folder: Path, stdin: Iterable[bytes] = ()) -> str:
    """What a stock tool prints, run by the shell in ``folder``."""
    data = b"".join(stdin)
    done = subprocess.run(["sh", "-c", command], cwd=folder, input=data, capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


def edited(path: Path, replace_with: Mapping[int, Mapping[str, str]]) -> Path:
    """Write values over columns of some rows (from 0) of a sender's file in the hub's format."""
    lines = path.read_bytes().decode("cp1252").split("\r\n")
    header = lines[0].split(";")
    for row, values in replace_with.items():
        cells = lines[row + 1].split(";")
        for name, value in values.items():
            cells[header.index(name)] = value
        lines[row + 1] = ";".join(cells)
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path
