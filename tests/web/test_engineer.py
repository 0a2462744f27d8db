"""What an engineer finds: runs, refusals with their reasons, quarantines counted, the days to come."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from checks.plot import PERIODS
from passerelle.errors import ContractError
from passerelle.profile import Profile
from passerelle.store import profiles, run_search, runs
from portal.web import setup
from portal.web.pages.engineer import drift
from portal.web.setup import Setup
from tests.gateway import POOLS, Gateway, pools
from tests.web.visitors import Portal, Visitor, words


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that delivered one pool with some rows rejected, and refused another that had too many."""
    made = pools(tmp_path_factory.mktemp("engineer"))
    made.run(POOLS, "2025-05", made.write(POOLS, 100, 0.03), "france-travail")
    with pytest.raises(ContractError):
        made.run(POOLS, "2025-06", made.write(POOLS, 100, 0.5, seed=1, name="bad.csv"), "france-travail")
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def engineer(gateway: Gateway) -> Visitor:
    """Its engineer, signed in, who reads English."""
    return Portal(gateway).visitor("engineer")


def test_runs_are_listed_by_state(gateway: Gateway, engineer: Visitor) -> None:
    """The list of runs is searched by state; each line has its counts and its reason."""
    (refused,) = gateway.runs(state="refused")
    found = engineer.get("/runs", params={"state": "refused", "format": "json"}).json()
    assert [row["run"] for row in found] == [refused.id]
    assert found[0]["read"] == 100


def test_a_refused_run_says_why(gateway: Gateway, engineer: Visitor) -> None:
    """The page of a refused run has its reason, how far it went, and each rule that rows broke, with row numbers."""
    (refused,) = gateway.runs(state="refused")
    shown = words(engineer.get(f"/runs/{refused.id}"))
    assert "Rules broken" in shown
    assert "(done)" in shown
    assert refused.reason is not None


def test_the_reports_of_a_run_are_shown_as_they_were_written(gateway: Gateway, engineer: Visitor) -> None:
    """Each report that a run wrote is shown; it may style itself, and run nothing; no other file is."""
    (refused,) = gateway.runs(state="refused")
    page = engineer.get(f"/runs/{refused.id}").text
    names = [part.split('"')[0] for part in page.split(f'href="/runs/{refused.id}/pages/')[1:]]
    assert names
    for name in names:
        shown = engineer.get(f"/runs/{refused.id}/pages/{name}")
        assert shown.status_code == 200
        assert shown.headers["content-security-policy"].startswith("default-src 'none'")
        assert "script-src" not in shown.headers["content-security-policy"]
    for name in ("..%2F..%2Fworkspace.json", "workspace.json", "other.html"):
        assert engineer.get(f"/runs/{refused.id}/pages/{name}").status_code == 404


def test_quarantines_are_counted_not_read(gateway: Gateway, engineer: Visitor) -> None:
    """The page of quarantines has counts and ends of life; no row."""
    found = engineer.get("/quarantines", params={"format": "json"}).json()
    assert {row["run"]: row["rows"] for row in found} == {run.id: run.counts["rejected"] for run in gateway.runs()}
    assert sorted(row["rows"] for row in found) == [3, 50]


def test_the_days_to_come_say_what_would_be_refused(engineer: Visitor) -> None:
    """The next sixty days say what the gate would answer, and why."""
    found = engineer.get("/coming", params={"format": "json"}).json()
    assert {"allowed", "autorisé"} & {row["gate"] for row in found}
    assert all("2025-05-12" <= row["date"] <= "2025-07-11" for row in found)


def test_pages_follow_each_other_without_a_gap(
    gateway: Gateway, engineer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page, each run is listed once."""
    monkeypatch.setattr("portal.web.visit.PAGE_ROWS", 1)
    seen, path = [], "/runs"
    while path:
        page = engineer.get(path).text
        seen += [run.id for run in gateway.runs() if f"/runs/{run.id}" in page]
        following = page.partition('rel="next" href="')[2].partition('"')[0]
        path = following.replace("&amp;", "&")
    assert sorted(seen) == sorted(run.id for run in gateway.runs())


def test_drift_is_drawn_from_aggregates(gateway: Gateway, engineer: Visitor) -> None:
    """The page of drift draws rows read and share rejected of the exchange that delivered last, in words too; another exchange is absent."""
    page = engineer.get("/drift")
    (delivered,) = gateway.runs(state="delivered")
    assert page.text.count("<svg") >= 2
    assert f"<desc>2025-05: {delivered.counts['read']}</desc>" in page.text
    assert f"{POOLS} {delivered.contract}" in page.text
    assert "style=" not in page.text
    assert engineer.get("/drift", params={"exchange": "csp-ft-2024/other candidate_pool@1.0.0"}).status_code == 404


def test_drift_shows_what_moved(gateway: Gateway) -> None:
    """A column whose share of empty values moved between two periods has a plot; one that did not has none."""
    (stored,) = bodies(gateway)
    first = Profile.from_json(json.loads(stored))
    column = next(one for one in first.columns if one.nulls == 0)
    grown = [replace(one, nulls=first.accepted // 2) if one.name == column.name else one for one in first.columns]
    second = replace(first, period="2025-06", columns=tuple(grown))
    assert drift.moved([first, second]) == [column.name]
    assert drift.empty(second, column.name) == pytest.approx(0.5, abs=0.01)


def test_drift_goes_back_period_by_period(tmp_path: Path) -> None:
    """A page of drift shows as many periods as a plot has room for; earlier ones are one click away; before the first, or an unknown one, there is no page."""
    gateway = pools(tmp_path)
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 20), "france-travail")
    (delivered,), (body,) = gateway.runs(state="delivered"), bodies(gateway)
    periods = [f"20{year:02}-01" for year in range(20)]
    with gateway.workspace.database.begin() as connection:
        for number, period in enumerate(periods):
            run = replace(delivered, id=f"r-earlier-{number}", period=period)
            runs.start(connection, run)
            told = json.dumps({**json.loads(body), "period": period})
            profiles.keep(connection, run, told, "{}", at=gateway.workspace.now() - timedelta(days=20 - number))
    engineer = Portal(gateway).visitor("engineer")
    latest = engineer.get("/drift").text
    assert drawn(latest) == [*periods[-PERIODS:], "2025-05"]
    (link,) = re.findall(r'rel="next" href="([^"]+)"', latest)
    earlier = engineer.get(link).text
    assert drawn(earlier) == periods[:-PERIODS]
    assert 'rel="next"' not in earlier
    for nothing in ("1999-01", periods[0]):
        assert engineer.get("/drift", params={"before": nothing}).status_code == 404
    gateway.workspace.close()


def drawn(page: str) -> list[str]:
    """The periods of the first plot of a page of drift."""
    told = re.findall(r"<desc>([^<]+)</desc>", page)[0]
    return [one.partition(":")[0] for one in told.split("; ")]


def bodies(gateway: Gateway) -> list[str]:
    """The profiles of what was delivered."""
    with gateway.workspace.database.read() as connection:
        (known,) = run_search.profiled(connection)
        return run_search.bodies(connection, [run for _, run in run_search.periods(connection, *known)])


def test_prefect_is_one_click_away_where_it_is_set(gateway: Gateway, engineer: Visitor) -> None:
    """The list of runs leads to Prefect's pages where the portal knows them, and says nothing of them elsewhere."""
    known = Setup("http://testserver", prefect="https://prefect.example.org")
    page = Portal(gateway, settings={"setup": known}).visitor("engineer").get("/runs").text
    assert 'href="https://prefect.example.org/runs"' in page
    assert "Prefect" not in engineer.get("/runs").text


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, "http://127.0.0.1:4200"),
        ({"PREFECT_UI_URL": "https://ui.example.org/", "PREFECT_API_URL": "http://a/api"}, "https://ui.example.org"),
        ({"PREFECT_UI_URL": "javascript:alert(1)"}, None),
    ],
)
def test_where_prefect_is(environ: dict[str, str], expected: str | None) -> None:
    """Prefect's own settings say where its pages are; only a web address is taken."""
    assert setup.prefect(environ) == expected
