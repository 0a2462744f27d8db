"""One exchange from the gate to the partner's folder: what leaves, what does not, and how often."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from passerelle.errors import (
    ContractError,
    GateRefusedError,
    IntakeError,
    OurWayError,
    ParcelError,
    RefusedError,
    UsageError,
    WorkspaceError,
)
from passerelle.handover.check import check_file
from passerelle.handover.deliver import complete
from passerelle.keys import Identity, decrypt
from passerelle.parcel import Sealer, read_parcel
from passerelle.persons import NAME_BIRTH, identifier_tag
from passerelle.shard import TAG_BYTES
from passerelle.store import partners
from tests.contracts.making import DAY
from tests.gateway import (
    ENTRIES,
    OUTCOMES,
    POOLS,
    STUDIES,
    Gateway,
    assert_no_orphans,
    assert_sequences_without_gap,
    at,
    edited,
    files_under,
    pools,
    rows_of,
    studies,
    trail_holds,
    two_recipients,
)


@pytest.fixture
def figures(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway for studies, outcomes and training entries."""
    gateway = studies(tmp_path)
    yield gateway
    gateway.workspace.close()


@pytest.fixture
def persons(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway for pools of candidates."""
    gateway = pools(tmp_path)
    yield gateway
    gateway.workspace.close()


@dataclass
class Jumping:
    """A clock that stands at ``before`` until it was read ``times`` times, then at ``after``."""

    before: datetime
    after: datetime
    times: int
    read: int = field(default=0)

    def now(self) -> datetime:
        self.read += 1
        return self.before if self.read <= self.times else self.after


def column_of(path: Path, name: str) -> list[str]:
    """One column of a sender's file."""
    rows = csv.DictReader(io.StringIO(path.read_text("cp1252"), newline=""), delimiter=";")
    return [row[name] for row in rows]


def test_the_same_content_is_delivered_once(figures: Gateway) -> None:
    """The same file for the same period is a duplicate: no second parcel, no second raw copy, and the first one is named."""
    source = figures.write(STUDIES, 50)
    first = figures.run(STUDIES, "2019", source)
    copies = figures.kinds()
    again = figures.run(STUDIES, "2019", source.rename(source.with_name("renamed.csv")))
    assert (first.state, again.state) == ("delivered", "duplicate")
    assert again.deliveries == first.deliveries
    assert len(figures.parcels("region-paca")) == 1
    assert figures.kinds() == copies
    assert_no_orphans(figures)


def test_another_period_or_another_content_is_another_delivery(figures: Gateway) -> None:
    """The same file for another period, and another file for the same period, are delivered each, in sequence."""
    source = figures.write(STUDIES, 50)
    states = [
        figures.run(STUDIES, "2018", source).state,
        figures.run(STUDIES, "2019", source).state,
        figures.run(STUDIES, "2019", figures.write(STUDIES, 51)).state,
    ]
    assert states == ["delivered"] * 3
    assert [one.sequence for one in figures.deliveries()] == [1, 2, 3]
    assert len(figures.parcels("region-paca")) == 3
    assert_sequences_without_gap(figures)


def test_each_recipient_has_a_parcel_of_its_own(persons: Gateway, tmp_path: Path) -> None:
    """Two recipients receive each their parcel, sealed to their key alone, with pseudonyms that differ between them."""
    which = two_recipients(persons)
    source = persons.write(which, 40)
    assert {one.recipient for one in persons.run(which, "2025-05", source).deliveries} == {"mtfp", "mtss"}
    seen: dict[str, list[str]] = {}
    for party, other in (("mtfp", "mtss"), ("mtss", "mtfp")):
        (parcel,) = persons.parcels(party)
        seen[party] = [row["jobseeker_id"] for row in rows_of(persons.opened(parcel, party, tmp_path / party))]
        with pytest.raises(ParcelError, match="inner lock"):
            replace(persons, identities={party: persons.identities[other]}).opened(parcel, party, tmp_path / "other")
    assert len(set(seen["mtfp"]) & set(seen["mtss"])) == 0
    assert set(seen["mtfp"]).isdisjoint(column_of(source, "jobseeker_id"))


def test_a_recipient_that_got_its_parcel_waits_for_no_other(persons: Gateway) -> None:
    """When one of two recipients has no approved key nothing leaves; when it has, both are served."""
    which = two_recipients(persons)
    with persons.workspace.database.begin() as connection:
        key = partners.approved(connection, "mtss")[0]
        partners.revoke(connection, key.fingerprint, at=persons.workspace.now())
    source = persons.write(which, 20)
    with pytest.raises(RefusedError, match="mtss has no approved key"):
        persons.run(which, "2025-05", source)
    assert persons.parcels("mtfp") == []
    assert files_under(persons.home) == []
    persons.identities.clear()
    persons.enrol("mtss", Identity.generate().recipient)
    assert len(persons.run(which, "2025-05", source).deliveries) == 2


def test_pseudonyms_are_stable_and_the_same_rows_meet_again(persons: Gateway, tmp_path: Path) -> None:
    """A person has the same pseudonym in every delivery to one recipient, so that deliveries can be joined."""
    seen = []
    for period in ("2025-04", "2025-05"):
        out = persons.run(POOLS, period, persons.write(POOLS, 30))
        parcel = Path(out.deliveries[0].location)
        seen.append([r["jobseeker_id"] for r in rows_of(persons.opened(parcel, "mtfp", tmp_path / period))])
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 30


def test_only_allowed_columns_leave(figures: Gateway, tmp_path: Path) -> None:
    """The extract of training entries has neither NIR, e-mail nor telephone, in columns or anywhere in its bytes."""
    source = figures.write(ENTRIES, 60)
    figures.run(ENTRIES, "2019-05", source)
    (parcel,) = figures.parcels("pole-emploi")
    extract = figures.opened(parcel, "pole-emploi", tmp_path / "out")
    rows = rows_of(extract)
    assert len(rows) == 60
    assert rows[0].keys() == {
        "trainee_id", "last_name", "first_name", "course_label", "session_id", "entry_date", "exit_date",
        "provider_siret", "commune", "postcode", "formacode", "funders",
    }  # fmt: skip
    for name in ("nir", "email", "phone", "trainee_id"):
        values = column_of(source, name)
        assert len(values) == 60
        assert [value for value in values if value.encode() in extract] == []
    assert [row["last_name"] for row in rows] == column_of(source, "last_name")


def test_two_locks_where_persons_are_concerned(persons: Gateway, tmp_path: Path) -> None:
    """A parcel about persons has two locks and opens only with the release key, which is handed over once it is asked for."""
    persons.run(POOLS, "2025-05", persons.write(POOLS, 20))
    (parcel,) = persons.parcels("mtfp")
    assert [lock.kind for lock in read_parcel(parcel).manifest.passerelle.locks] == ["release", "recipient"]
    assert persons.entries("release_key_handed") == []
    assert len(rows_of(persons.opened(parcel, "mtfp", tmp_path / "out"))) == 20
    assert [entry["party"] for entry in persons.entries("release_key_handed")] == ["mtfp"]


@pytest.mark.parametrize("which", [STUDIES, OUTCOMES])
def test_one_lock_for_figures(figures: Gateway, which: str, tmp_path: Path) -> None:
    """A parcel of figures has one lock, the recipient's, and no release key is kept for it."""
    figures.run(which, "2019", figures.write(which, 60))
    (parcel,) = figures.parcels("region-paca")
    assert [lock.kind for lock in read_parcel(parcel).manifest.passerelle.locks] == ["recipient"]
    assert "release" not in figures.kinds()
    assert figures.opened(parcel, "region-paca", tmp_path / "out")


def test_outcomes_pass_disclosure_control(figures: Gateway, tmp_path: Path) -> None:
    """No count of 1 to 10 persons leaves in a table of outcomes, no rate under 20 leavers, and what was withheld is counted."""
    source = figures.write(OUTCOMES, 300)
    outcome = figures.run(OUTCOMES, "2018", source)
    small = [value for value in column_of(source, "employed_6_months") if 0 < int(value) < 11]
    assert len(small) > 50
    (parcel,) = figures.parcels("region-paca")
    rows = rows_of(figures.opened(parcel, "region-paca", tmp_path / "out"))
    counts = [row[name] for row in rows for name in ("entrants", "leavers", "employed_6_months")]
    shown = [int(value) for value in counts if value not in {"", "*"}]
    assert len(shown) > 100
    assert [value for value in shown if 0 < value < 11] == []
    assert [row for row in rows if row["employment_rate"] not in {"", "*"} and int(row["leavers"]) < 20] == []
    assert outcome.counts["withheld"] >= len(small)


def test_refusing_policy_takes_no_faulty_row(figures: Gateway) -> None:
    """Where the exchange refuses, one faulty row refuses the file: no parcel, no raw copy, the rejected row in quarantine."""
    source = figures.write(STUDIES, 100, bad_rate=0.01)
    with pytest.raises(ContractError, match="1 of 100 rows break the contract, the exchange tolerates 0%"):
        figures.run(STUDIES, "2019", source)
    assert figures.parcels("region-paca") == []
    assert figures.kinds() == ["quarantine", "verdicts"]
    assert [run.state for run in figures.runs()] == ["refused"]
    assert figures.entries("delivery_intent") == []
    assert_no_orphans(figures)


def test_quarantining_policy_delivers_the_rest(persons: Gateway, tmp_path: Path) -> None:
    """Where the exchange quarantines, faulty rows are kept apart, encrypted, with their row numbers, and counted by rule."""
    source = persons.write(POOLS, 200, bad_rate=0.05)
    outcome = persons.run(POOLS, "2025-05", source)
    assert (outcome.counts["read"], outcome.counts["accepted"], outcome.counts["rejected"]) == (200, 190, 10)
    assert sum(rule["count"] for rule in outcome.by_rule) >= 10
    (parcel,) = persons.parcels("mtfp")
    assert len(rows_of(persons.opened(parcel, "mtfp", tmp_path / "out"))) == 190
    (copy,) = persons.present(kind="quarantine")
    plain = io.BytesIO()
    with persons.workspace.path(copy.location).open("rb") as cipher:
        decrypt(cipher, plain, [persons.workspace.keys.copy_key("csp-ft-2024", copy.location).identity])
    rejected = rows_of(plain.getvalue())
    names = column_of(source, "last_name")
    assert [row["last_name"] for row in rejected] == [names[int(row["row"]) - 1] for row in rejected]
    assert len(rejected) == 10


def test_more_rejected_than_tolerated_leaves_nothing(persons: Gateway) -> None:
    """Over the tolerated share nothing leaves: no parcel, no raw copy, no second lock; corrected, the file passes."""
    source = persons.write(POOLS, 200, bad_rate=0.06)
    for _ in range(2):
        with pytest.raises(ContractError, match="12 of 200 rows break the contract, the exchange tolerates 5%"):
            persons.run(POOLS, "2025-05", source)
    assert persons.parcels("mtfp") == []
    assert persons.kinds() == ["quarantine", "quarantine"]
    assert_no_orphans(persons)
    assert persons.run(POOLS, "2025-05", persons.write(POOLS, 200)).state == "delivered"


def test_an_empty_file_is_refused(figures: Gateway) -> None:
    """A file with a header alone is refused: an empty delivery says nothing."""
    with pytest.raises(ContractError, match="the file has none"):
        figures.run(STUDIES, "2019", figures.write(STUDIES, 0))
    assert figures.parcels("region-paca") == []


def test_a_check_of_the_whole_file_that_fails_stops_the_parcel(figures: Gateway) -> None:
    """A file far smaller than those before it fails its checks: the report says which, and nothing leaves."""
    for number in range(4):
        figures.run(STUDIES, f"201{number}", figures.write(STUDIES, 400, seed=number))
    with pytest.raises(ContractError, match="checks of the whole file failed") as refusal:
        figures.run(STUDIES, "2015", figures.write(STUDIES, 3))
    report = figures.home / str(refusal.value.hint).rpartition(" ")[2]
    assert "html" in report.read_text("utf-8")[:100]
    assert len(figures.parcels("region-paca")) == 4
    assert sorted(run.state for run in figures.runs()) == ["delivered"] * 4 + ["refused"]
    assert_no_orphans(figures)


def test_repeated_keys_are_rejected_wherever_they_stand(persons: Gateway) -> None:
    """A row that repeats an earlier row's key is rejected under rule unique; the first of them is kept."""
    source = persons.write(POOLS, 100)
    first = column_of(source, "jobseeker_id")[3], column_of(source, "rome")[3]
    edited(source, {90: {"jobseeker_id": first[0], "rome": first[1]}})
    outcome = persons.run(POOLS, "2025-05", source)
    assert [dict(rule) for rule in outcome.by_rule] == [
        {"rule": "unique", "column": "jobseeker_id+rome", "count": 1, "first_rows": [91]}
    ]


def test_the_gate_is_asked_again_at_delivery(persons: Gateway) -> None:
    """When the convention ends between start and delivery nothing leaves, and both decisions are on record."""
    source = persons.write(POOLS, 20)
    before = at("2025-05-12T06:00:00+02:00")
    persons.run(POOLS, "2025-04", source)
    letter = {"by": "cheops", "form": "registered_letter_ar", "received_on": "2025-05-12"}
    persons.record(("csp-ft-2024", "termination_letter", letter))
    persons.workspace.clock = jumping = Jumping(before, before + timedelta(days=100), 1_000)
    stages: list[int] = []

    def progress(step: int, _rows: int) -> None:
        stages.append(step)
        if step == 7:
            jumping.times = jumping.read

    with pytest.raises(GateRefusedError) as refusal:
        persons.run(POOLS, "2025-05", source, progress=progress)
    assert refusal.value.reason == "out_of_force_at_delivery"
    assert stages[-1] == 7
    told = [(entry["stage"], entry["outcome"]) for entry in persons.entries("decision")]
    assert told[-2:] == [("start", "allow"), ("delivery", "block")]
    assert len(persons.parcels("mtfp")) == 1
    assert {run.period: run.state for run in persons.runs()} == {"2025-04": "delivered", "2025-05": "refused"}
    assert_no_orphans(persons)
    trail_holds(persons.workspace)


def test_nothing_is_delivered_without_an_intent(figures: Gateway, tmp_path: Path) -> None:
    """A parcel sealed by other means cannot be delivered: no decision is on record for it."""
    sealer = Sealer(tmp_path / "p-0.tar", figures.workspace.now())
    with sealer.extract("extract.csv", [Identity.generate().recipient]) as sink:
        sink.write(b"a\r\n1\r\n")
    with pytest.raises(RefusedError, match="no decision allows this delivery"):
        complete(figures.workspace, "p-0", sealer)
    assert not (tmp_path / "p-0.tar").exists()
    assert figures.parcels("region-paca") == []


def test_a_delivery_is_not_completed_twice(figures: Gateway, tmp_path: Path) -> None:
    """A parcel that was delivered cannot be handed over again by calling the last step once more."""
    outcome = figures.run(STUDIES, "2019", figures.write(STUDIES, 20))
    sealer = Sealer(tmp_path / "again.tar", figures.workspace.now())
    with pytest.raises(RefusedError, match="no decision allows this delivery"):
        complete(figures.workspace, outcome.deliveries[0].parcel, sealer)


def test_one_exchange_runs_once_at_a_time(figures: Gateway) -> None:
    """While an exchange runs, a second run of it is told so and does nothing; another exchange may run."""
    source = figures.write(STUDIES, 20)
    told: list[str] = []

    def meanwhile(step: int, _rows: int) -> None:
        if step == 2 and not told:
            with pytest.raises(WorkspaceError) as refusal:
                figures.run(STUDIES, "2019", source)
            told.append(refusal.value.message)
            assert figures.run(OUTCOMES, "2018", figures.write(OUTCOMES, 60, name="other.csv")).state == "delivered"

    assert figures.run(STUDIES, "2019", source, progress=meanwhile).state == "delivered"
    assert told == ["another process is at work on paca-pe-2016.studies"]
    assert_no_orphans(figures)


@pytest.mark.parametrize(
    ("which", "sender", "reason"),
    [
        ("paca-pe-2016/no-such-exchange", None, "not_an_exchange_of_this_convention"),
        (STUDIES, "nobody-we-know", "unknown_party"),
        (STUDIES, "asp", "not_an_exchange_of_this_convention"),
    ],
)
def test_who_is_not_named_is_refused(figures: Gateway, which: str, sender: str | None, reason: str) -> None:
    """An exchange or a party that the text does not name is refused, and the refusal is on record."""
    source = figures.write(STUDIES, 20)
    with pytest.raises(GateRefusedError) as refusal:
        figures.run(which, "2019", source, sender)
    assert refusal.value.reason == reason
    assert figures.entries("decision")[-1]["reason"] == reason
    assert files_under(figures.home) == []
    assert figures.runs() == []


@pytest.mark.parametrize(
    ("convention", "exchange", "period"),
    [
        ("no-such-convention", "studies", "2019"),
        ("paca-pe-2016", "../../elsewhere", "2019"),
        ("paca-pe-2016", "Paule Durand", "2019"),
        ("paca-pe-2016", "studies", "2019-13"),
        ("paca-pe-2016", "studies", "paule.durand@example.org"),
    ],
)
def test_what_is_no_word_of_a_convention_names_nothing(
    figures: Gateway, convention: str, exchange: str, period: str
) -> None:
    """What cannot be a convention, an exchange or a period is a wrong usage: no file, no entry, no word of it in the message."""
    before = sorted(figures.folder.rglob("*"))
    size = trail_holds(figures.workspace).size
    with pytest.raises(UsageError) as refusal:
        figures.run(f"{convention}/{exchange}", period, figures.write(STUDIES, 1, name="s.csv"))
    assert "durand" not in f"{refusal.value} {refusal.value.hint}".lower()
    assert sorted(figures.home.rglob("*")) == [path for path in before if path.is_relative_to(figures.home)][1:]
    assert trail_holds(figures.workspace).size == size


def test_an_exchange_that_carries_no_rows_is_refused(figures: Gateway) -> None:
    """An exchange without a data contract is refused with the reason, whatever the gate says."""
    with pytest.raises(RefusedError, match="no data contract is bound to regional-news"):
        figures.run("paca-pe-2016/regional-news", "2019", figures.write(STUDIES, 1))


def test_a_file_of_no_known_dialect_leaves_no_copy(persons: Gateway) -> None:
    """A file that no dialect of the contract describes is refused before anything of it is kept."""
    source = persons.folder / "sent.csv"
    source.write_bytes(b"nom;prenom\r\nDurand;Paule\r\n")
    with pytest.raises(IntakeError):
        persons.run(POOLS, "2025-05", source)
    assert files_under(persons.home) == []
    assert [run.state for run in persons.runs()] == ["refused"]


def test_the_person_index_has_the_persons_of_the_extract_alone(persons: Gateway) -> None:
    """The person index has the keyed tags of the accepted rows' persons, each once and sorted; none of the rejected ones."""
    source = persons.write(POOLS, 120, bad_rate=0.02)
    outcome = persons.run(POOLS, "2025-05", source)
    rejected = {row - 1 for rule in outcome.by_rule for row in rule["first_rows"]}
    assert len(rejected) == 2
    key = persons.workspace.keys.keyset("csp-ft-2024").index_key
    expected: set[bytes] = set()
    for scheme, name in (("france-travail", "jobseeker_id"), ("email", "email")):
        values = [v for i, v in enumerate(column_of(source, name)) if v and i not in rejected]
        expected |= {identifier_tag(key, scheme, value)[:TAG_BYTES] for value in values}
    columns = [column_of(source, name) for name in ("last_name", "first_name", "birth_date")]
    for i, (last, first, born) in enumerate(zip(*columns, strict=True)):
        if i not in rejected:
            day = "-".join(reversed(born.split("/")))
            expected.add(identifier_tag(key, NAME_BIRTH, f"{last};{first};{day}")[:TAG_BYTES])
    (copy,) = persons.present(kind="index")
    data = persons.workspace.path(copy.location).read_bytes()
    found = [data[i : i + TAG_BYTES] for i in range(0, len(data), TAG_BYTES)]
    assert set(found) == expected
    assert found == sorted(set(found))


def test_figures_have_no_person_index(figures: Gateway) -> None:
    """An exchange without identifiers of persons writes no index."""
    figures.run(STUDIES, "2019", figures.write(STUDIES, 20))
    assert figures.present(kind="index") == []


def test_a_partner_folder_that_cannot_be_written_keeps_the_intent(figures: Gateway) -> None:
    """When the partner's folder cannot take the parcel the intent stays; once it can, the same parcel arrives."""
    (figures.folder / "partners").mkdir()
    obstacle = figures.folder / "partners" / "region-paca"
    obstacle.write_text("a file where a folder should be")
    source = figures.write(STUDIES, 30)
    with pytest.raises(OurWayError):
        figures.run(STUDIES, "2019", source)
    (intent,) = figures.deliveries(state="intent")
    assert figures.entries("delivered") == []
    obstacle.unlink()
    assert figures.run(STUDIES, "2019", source).state == "duplicate"
    assert [path.stem for path in figures.parcels("region-paca")] == [intent.id]
    assert_no_orphans(figures)


def test_checking_a_file_keeps_nothing(figures: Gateway) -> None:
    """Judging a file without an exchange gives counts, rules and row numbers, and writes nothing."""
    from contracts.registry import contract

    source = figures.write(ENTRIES, 200, bad_rate=0.05)
    before = sorted(figures.folder.rglob("*"))
    told = check_file(source, contract("training_entries"), DAY)
    assert (told["read"], told["accepted"], told["rejected"]) == (200, 190, 10)
    assert {rule["rule"] for rule in told["by_rule"]} >= {"nir", "email", "phone"}
    assert sorted(figures.folder.rglob("*")) == before
