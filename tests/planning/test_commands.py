"""The commands around the planner: one JSON value and nothing else, exit statuses, and pages that people can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.cli import run
from tests.gateway import ROOT, STUDIES, Gateway, studies

PACA, CSP, GEIQ = "paca-pe-2016", "csp-ft-2024", "geiq-amilaura-2024"
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Typed:
    """Type a command in a workspace of the test's own, at an instant; its status, stdout and stderr."""

    def type_(*words: str, now: str = "2026-09-01T06:00:00+02:00", lang: str = "fr") -> tuple[int, str, str]:
        monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "workspace"))
        monkeypatch.setenv("PASSERELLE_NOW", now)
        monkeypatch.setenv("PASSERELLE_LANG", lang)
        status = run(list(words))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    assert type_("init", "--rehearsal")[0] == 0
    return type_


def value(answer: tuple[int, str, str]) -> Any:
    """The one JSON value that a command printed."""
    status, out, err = answer
    assert (status, err) == (0, "")
    return json.loads(out)


def test_the_plan_of_sixty_days(typed: Typed) -> None:
    """By default from today for sixty days; each item with its key, ground and arithmetic, each exchange with the gate's answer."""
    plan = value(typed("plan", "--json"))
    assert (plan["from"], plan["to"], plan["not_approved"]) == ("2026-09-01", "2026-10-31", [])
    assert [one["key"] for one in plan["items"] if one["kind"] == "opt_out_alert"] == [
        f"{CSP}/opt_out_alert/6_months/2026-09-11"
    ]
    refused = {
        (one["convention"], one["exchange"]): one["reason"] for one in plan["exchanges"] if one["decision"] == "block"
    }
    assert refused[CSP, "candidate-pools"] == "missing_instrument:candidate-pool-agreement"
    assert refused[GEIQ, "recruitment-needs"] == "not_in_force"
    for one in plan["items"]:
        assert {"date", "kind", "state", "basis", "article", "arithmetic", "holidays", "key"} <= one.keys()


def test_what_would_run_and_what_would_be_refused(typed: Typed) -> None:
    """Of one convention between two days: what is due, allowed or refused with its reason."""
    words = ("plan", "--convention", GEIQ, "--from", "2025-10-01", "--to", "2025-11-30")
    plan = value(typed(*words, "--json", now="2025-10-01T06:00:00+02:00"))
    due = [
        (one["date"], one["subject"], one["decision"], one["reason"])
        for one in plan["items"]
        if one["kind"] == "exchange"
    ]
    assert due == [
        ("2025-10-06", "annual-review", "allow", None),
        ("2025-10-31", "recruitment-needs", "allow", None),
        ("2025-11-30", "recruitment-needs", "block", "out_of_force_at_delivery"),
    ]
    status, page, _ = typed(*words, now="2025-10-01T06:00:00+02:00")
    assert status == 0
    assert "31 octobre 2025" in page
    assert "autorisé" in page
    assert "out_of_force_at_delivery" in page


def test_wrong_days_are_a_wrong_usage(typed: Typed) -> None:
    """Days that are not days, that go backwards or too far, and unknown conventions exit with 2."""
    assert typed("plan", "--from", "tomorrow")[0] == 2
    assert typed("plan", "--from", "2026-02-01", "--to", "2026-01-01")[0] == 2
    assert typed("plan", "--from", "2026-02-01", "--to", "2046-01-01")[0] == 2
    assert typed("plan", "--convention", "nobody")[0] == 2
    assert typed("obligations", "nobody")[0] == 2
    assert typed("rehearse", CSP, "--from", "2026-01-02", "--to", "2026-01-01")[0] == 2
    assert typed("convention", "exposures", "nobody")[0] == 2
    assert typed("convention", "approve", "nobody")[0] == 2


def test_the_register_says_what_is_late(typed: Typed, tmp_path: Path) -> None:
    """Late, then done once the evidence is recorded, with the hash of its document."""
    entries = value(typed("obligations", CSP, "--json"))
    late = [(one["id"], one["due"]) for one in entries if one["state"] == "late"]
    assert ("annual-steering-meeting", "2026-03-11") in late
    minutes = tmp_path / "minutes.pdf"
    minutes.write_bytes(b"minutes")
    recorded = value(typed("convention", "record", CSP, "meeting_held", "--id", "annual-steering-meeting", "--valid-on", "2026-02-03", "--evidence", str(minutes), "--json"))  # fmt: skip
    assert recorded["exposures"] == []
    entries = value(typed("obligations", CSP, "--from", "2026-01-01", "--to", "2026-12-31", "--json"))
    (done,) = [one for one in entries if one["id"] == "annual-steering-meeting"]
    assert (done["state"], done["evidence"][0]["sha256"]) == ("done", recorded["evidence_sha256"])
    status, page, _ = typed("obligations", CSP)
    assert status == 0
    assert "en retard" in page
    assert "meeting_held 3 février 2026" in page


def test_a_life_is_rehearsed_without_a_workspace(typed: Typed, tmp_path: Path) -> None:
    """With events in a file, a convention's years are played and told in either language."""
    events = tmp_path / "events.json"
    events.write_text(json.dumps([{"e": "signed", "on": "2016-03-31"}]), "utf-8")
    words = ("rehearse", PACA, "--from", "2019-12-01", "--to", "2020-03-31", "--events", str(events))
    changes = value(typed(*words, "--json"))
    assert [one["date"] for one in changes if one["kind"] == "purged"] == ["2020-02-28"]
    assert all(one["arithmetic"]["fr"] and one["title"]["en"] for one in changes)
    status, page, _ = typed(*words, lang="en")
    assert status == 0
    assert "28 February 2020" in page
    assert "Data destroyed" in page
    status, page, _ = typed("rehearse", PACA, "--from", "2019-12-30", "--to", "2020-01-02")
    assert status == 0
    assert "indéterminé" in page
    assert typed("rehearse", CSP, "--from", "2025-02-02", "--to", "2025-02-02", "--events", str(tmp_path))[0] == 2


def test_two_people_approve_a_changed_file(typed: Typed, tmp_path: Path) -> None:
    """The plan and the exchange refuse a changed file; the second approval accepts it; a third has nothing to approve."""
    text = (ROOT / "conventions" / f"{CSP}.yaml").read_text("utf-8")
    local = tmp_path / "workspace" / "conventions" / f"{CSP}.yaml"
    local.write_text(text + "# changed\n", "utf-8")
    assert value(typed("plan", "--json"))["not_approved"] == [CSP]
    assert "deux personnes" in typed("plan")[1]
    first = value(typed("convention", "approve", CSP, "--by", "first", "--json"))
    assert (first["accepted"], first["approvals"]) == (False, 1)
    status, _, err = typed("convention", "approve", CSP, "--by", "first")
    assert status == 1
    assert "hint:" in err
    assert "il en manque 0" not in typed("convention", "approve", CSP, "--by", "second")[1]
    assert value(typed("plan", "--json"))["not_approved"] == []
    assert typed("convention", "approve", CSP, "--by", "third")[0] == 1


def test_a_late_event_says_what_it_exposes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Recording a breach late prints the delivery that should not have happened, and the list keeps it."""
    gateway: Gateway = studies(tmp_path)
    gateway.run(STUDIES, "2019", gateway.write(STUDIES, 200))
    gateway.workspace.close()
    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_NOW", "2019-06-20T09:00:00+02:00")
    monkeypatch.setenv("PASSERELLE_LANG", "en")
    assert run(["convention", "exposures", PACA]) == 0
    assert "No delivery is called into question" in capsys.readouterr().out
    args = '{"received_on": "2019-06-01", "form": "registered_letter_ar"}'
    assert run(["convention", "record", PACA, "breach_notice", "--party", "region-paca", "--args", args]) == 0
    page = capsys.readouterr().out
    assert "Deliveries that should not have happened: 1" in page
    assert "3 June 2019" in page
    assert run(["convention", "exposures", PACA, "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["exchange"], one["recipient"], one["rows"]) == ("studies", "region-paca", 200)
