"""Tables of outcomes one after the other, by the real exchange: what each recipient has is kept, and counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from flows import assembly
from passerelle.clock import iso
from passerelle.errors import RefusedError
from passerelle.handover.published import FIGURES, read_figures
from passerelle.handover.resend import resend
from passerelle.store import holdings, outcome_releases, runs
from passerelle.store.outcome_releases import OutcomeRelease
from passerelle.store.tables import delivery
from portal.cli import run
from retention.purge import purge
from tests.gateway import OUTCOMES, ROOT, Gateway, assert_no_orphans, rows_of, studies, trail_holds

HEADER = "period;course;course_label;formacode;certification;territory_level;territory;entrants;leavers;employed_6_months;employment_rate"
JANUARY = {"04": (80, 50, 25), "05": (100, 70, 40), "13": (90, 60, 30), "83": (70, 40, 22)}
"""Department: entrants, leavers, employed."""

Table = Mapping[str, tuple[int, int, int]]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway for outcomes."""
    made = studies(tmp_path)
    yield made
    made.workspace.close()


def written(gateway: Gateway, table: Table, name: str, *, region: bool = False) -> Path:
    """The sender's file of one course; with ``region``, the total of its departments too."""
    rows: list[tuple[str, str, int, int, int]] = [("department", code, *figures) for code, figures in table.items()]
    if region:
        entrants, leavers, employed = map(sum, zip(*table.values(), strict=True))
        rows.append(("region", "93", entrants, leavers, employed))
    lines = [HEADER]
    for level, code, entrants, leavers, employed in rows:
        rate = f"{100 * employed / leavers:.1f}".replace(".", ",")
        lines.append(f"2018;FO_1;Soudage;31768;RNCP1884;{level};{code};{entrants};{leavers};{employed};{rate}")
    path = gateway.folder / "sent" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("cp1252"))
    return path


def one_more(table: Table, code: str, entrants: int = 0, leavers: int = 1, employed: int = 1) -> Table:
    """The table of a month later: some more in one department."""
    was = table[code]
    return {**table, code: (was[0] + entrants, was[1] + leavers, was[2] + employed)}


def received(gateway: Gateway, out: Path) -> list[dict[str, dict[str, str]]]:
    """By territory, the rows of every parcel, in the order of their deliveries."""
    parcels = {path.stem: path for path in gateway.parcels("region-paca")}
    return [
        {row["territory"]: row for row in rows_of(gateway.opened(parcels[one.id], "region-paca", out / one.id))}
        for one in gateway.deliveries(state="delivered")
    ]


def register(gateway: Gateway) -> list[OutcomeRelease]:
    """What the register says, the latest first."""
    with gateway.workspace.database.read() as connection:
        return outcome_releases.releases(connection)


def told(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, Any]:
    """The status of a command, and its JSON value or what it said."""
    for name, value in {"HOME": str(gateway.home), "LANG": "en", "NOW": iso(gateway.workspace.now())}.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", value)
    status = run(list(words))
    out, err = capsys.readouterr()
    return status, json.loads(out) if "--json" in words and status == 0 else out + err


def test_one_leaver_more_is_withheld(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command line, month after month: where one person more left training, the next two tables say nothing of the cell."""
    months = [JANUARY, one_more(JANUARY, "13"), one_more(one_more(JANUARY, "13"), "05", 45, 30, 15)]
    for number, month in enumerate(months, start=1):
        source = str(written(gateway, month, f"month-{number}"))
        call = ("exchange", "run", OUTCOMES, "--input", source, "--period", f"2019-0{number}", "--json")
        assert told(gateway, monkeypatch, capsys, *call)[0] == 0
    first, second, third = received(gateway, tmp_path / "out")
    assert "*" not in {value for row in first.values() for value in row.values()}
    for later in (second, third):
        shown = [later["13"][name] for name in ("leavers", "employed_6_months", "employment_rate")]
        assert shown == ["*"] * 3
        assert later["04"] == first["04"]
    assert (third["05"]["leavers"], third["05"]["employed_6_months"]) == ("100", "55")
    status, listed = told(gateway, monkeypatch, capsys, "exchange", "releases", "region-paca", "--json")
    assert status == 0
    assert [(one["period"], one["withheld"]) for one in listed] == [("2019-03", 3), ("2019-02", 3), ("2019-01", 0)]
    assert told(gateway, monkeypatch, capsys, "exchange", "releases", "pole-emploi", "--json") == (0, [])
    trail_holds(gateway.workspace)
    assert_no_orphans(gateway)


def test_a_total_that_tells_of_one_person_is_blocked_by_name(gateway: Gateway, tmp_path: Path) -> None:
    """With the total of the region, one leaver more blanks it too; one person entered more is refused, and the cell is named."""
    gateway.run(OUTCOMES, "2019-01", written(gateway, JANUARY, "january", region=True))
    gateway.run(OUTCOMES, "2019-02", written(gateway, one_more(JANUARY, "13"), "february", region=True))
    _, second = received(gateway, tmp_path / "out")
    assert [second[code]["leavers"] for code in ("13", "93")] == ["*", "*"]
    with pytest.raises(RefusedError, match=r"territory_level=region, territory=93 \(entrants"):
        gateway.run(OUTCOMES, "2019-03", written(gateway, one_more(JANUARY, "13", 1), "march", region=True))
    assert [one.period for one in gateway.deliveries()] == ["2019-01", "2019-02"]
    assert len(register(gateway)) == 2
    assert len(gateway.present(kind=FIGURES)) == 2
    assert_no_orphans(gateway)


def test_departments_after_their_region(gateway: Gateway, tmp_path: Path) -> None:
    """A region first, then its departments but for one of few persons: what is left of the region is not given away."""
    few = {**JANUARY, "84": (9, 6, 3)}
    entrants, leavers, employed = map(sum, zip(*few.values(), strict=True))
    region = written(gateway, {"93": (entrants, leavers, employed)}, "region")
    region.write_bytes(region.read_bytes().replace(b"department", b"region"))
    gateway.run(OUTCOMES, "2019-01", region)
    gateway.run(OUTCOMES, "2019-02", written(gateway, JANUARY, "departments"))
    _, departments = received(gateway, tmp_path / "out")
    assert "*" in {row["leavers"] for row in departments.values()}


def test_the_register_holds_what_was_published_and_no_more(gateway: Gateway, tmp_path: Path) -> None:
    """The register has each cell as its recipient has it; what was withheld lies only in a copy that the convention's key opens."""
    small = {**JANUARY, "84": (19, 17, 6)}
    gateway.run(OUTCOMES, "2019-01", written(gateway, small, "small"))
    (kept,) = register(gateway)
    (parcel,) = received(gateway, tmp_path / "out")
    rows = {row["territory"]: row for row in read_figures(kept).to_pylist()}
    assert {code: row["leavers"] for code, row in rows.items()} == {c: row["leavers"] for c, row in parcel.items()}
    assert rows["84"]["employed_6_months"] == "*"
    assert "course_label" not in rows["84"]
    assert (kept.cells, kept.published + kept.withheld, kept.recipient) == (5, 20, "region-paca")
    (run,) = gateway.runs(id=kept.run)
    assert run.counts["withheld"] == kept.withheld
    (copy,) = gateway.present(kind=FIGURES)
    assert gateway.workspace.path(copy.location).read_bytes().startswith(b"age-encryption.org/v1")


def test_the_same_table_again_is_the_same_table(gateway: Gateway, tmp_path: Path) -> None:
    """A table sent once more under another period withholds the same figures, though others came in between."""
    small = {**JANUARY, "84": (19, 17, 6)}
    gateway.run(OUTCOMES, "2019-01", written(gateway, small, "first"))
    gateway.run(OUTCOMES, "2019-02", written(gateway, one_more(small, "05", 45, 30, 15), "between"))
    gateway.run(OUTCOMES, "2019-03", written(gateway, small, "first"))
    first, _, third = received(gateway, tmp_path / "out")
    assert third == first


def test_a_table_sent_again_is_the_table_of_then(gateway: Gateway, tmp_path: Path) -> None:
    """A parcel of outcomes is sent again as it was, although another table came since."""
    small = {**JANUARY, "84": (19, 17, 6)}
    first = gateway.run(OUTCOMES, "2019-01", written(gateway, small, "first"))
    gateway.run(OUTCOMES, "2019-02", written(gateway, one_more(small, "05", 3, 2, 1), "between"))
    resend(gateway.workspace, first.deliveries[0].parcel, "lost", assembly.tools_for, actor="test")
    was, _, again = received(gateway, tmp_path / "out")
    assert again == was


def test_after_the_true_figures_are_gone_published_ones_still_count(gateway: Gateway, tmp_path: Path) -> None:
    """When the copy of the true figures was destroyed, what was published is still reckoned with."""
    gateway.run(OUTCOMES, "2019-01", written(gateway, JANUARY, "january"))
    (copy,) = gateway.present(kind=FIGURES)
    gateway.workspace.path(copy.location).unlink()
    with gateway.workspace.database.begin() as connection:
        holdings.destroyed(connection, [copy.id], at=gateway.workspace.now())
    gateway.run(OUTCOMES, "2019-02", written(gateway, one_more(JANUARY, "13"), "february"))
    _, second = received(gateway, tmp_path / "out")
    assert second["13"]["leavers"] == "*"


def twin(gateway: Gateway, name: str, *, recipient: str = "region-paca", pool: str = "recipient") -> str:
    """Lay down a second convention of the same terms, for ``recipient``, and give its exchange of outcomes."""
    text = (ROOT / "conventions" / "paca-pe-2016.yaml").read_text("utf-8")
    own = text.replace("\nid: paca-pe-2016\n", f"\nid: {name}\n", 1).replace("region-paca", recipient)
    thresholds = "min_denominator: 20, basis: hub_policy}"
    assert own.count(thresholds) == 1
    own = own.replace(thresholds, f"min_denominator: 20, pool: {pool}, basis: hub_policy}}")
    (gateway.home / "conventions" / f"{name}.yaml").write_text(own, "utf-8")
    gateway.record((name, "signed", {"on": "2016-03-31"}))
    return f"{name}/training-outcomes"


@pytest.mark.parametrize(
    ("recipient", "pool", "shown"),
    [("region-paca", "recipient", "*"), ("region-sud", "recipient", "61"), ("region-sud", "everyone", "*")],
)
def test_who_compares(gateway: Gateway, tmp_path: Path, recipient: str, pool: str, shown: str) -> None:
    """What a party has under another convention counts; what another party has counts where the convention says that they pool."""
    which = twin(gateway.move_to("2016-04-04T10:00:00+02:00"), "paca-twin", recipient=recipient, pool=pool)
    if recipient != "region-paca":
        gateway.partner(recipient)
    gateway.move_to("2019-06-03T06:00:00+02:00")
    gateway.run(OUTCOMES, "2019-01", written(gateway, JANUARY, "january"))
    later = gateway.run(which, "2019-02", written(gateway, one_more(JANUARY, "13"), "february"))
    (parcel,) = later.deliveries
    extract = gateway.opened(gateway.workspace.path(parcel.location), recipient, tmp_path / "out")
    assert {row["territory"]: row["leavers"] for row in rows_of(extract)}["13"] == shown


def test_an_intent_that_is_abandoned_takes_its_line_with_it(gateway: Gateway) -> None:
    """A parcel that never left is not in the register: its line goes in the transaction that abandons the intent."""
    gateway.run(OUTCOMES, "2019-01", written(gateway, JANUARY, "january"))
    (kept,) = register(gateway)
    with gateway.workspace.database.begin() as connection:
        connection.execute(update(delivery).values(state="intent"))
        runs.abandon(connection, kept.delivery)
    assert register(gateway) == []


def test_another_table_meanwhile_is_told(gateway: Gateway) -> None:
    """A table judged before another one reached the same recipient is not delivered on what was known then."""
    which = twin(gateway.move_to("2016-04-04T10:00:00+02:00"), "paca-twin")
    gateway.move_to("2019-06-03T06:00:00+02:00")
    other = written(gateway, one_more(JANUARY, "13"), "february")

    def meanwhile(step: int, _rows: int) -> None:
        if step == 7:
            gateway.run(which, "2019-02", other)

    with pytest.raises(RefusedError, match="another table of the same data was delivered"):
        gateway.run(OUTCOMES, "2019-01", written(gateway, JANUARY, "january"), progress=meanwhile)
    assert [one.convention for one in register(gateway)] == ["paca-twin"]


def test_the_register_outlives_the_purge_without_true_figures(gateway: Gateway) -> None:
    """A purge destroys the true figures with the convention's keys, and leaves the register of what was published."""
    small = {**JANUARY, "84": (19, 17, 6)}
    gateway.run(OUTCOMES, "2019-01", written(gateway, small, "small"))
    purge(gateway.move_to("2020-02-28T05:00:00+01:00").workspace, "paca-pe-2016")
    assert gateway.present(kind=FIGURES) == []
    (kept,) = register(gateway)
    assert {row["territory"]: row["leavers"] for row in read_figures(kept).to_pylist()}["84"] == "*"
