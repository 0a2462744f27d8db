"""What a report will say, as far as it is known before the end of a run: kept, so that a crash loses nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from passerelle.canonical import canonical
from passerelle.contract import CodeList, Column
from passerelle.handover.job import Job
from passerelle.handover.verdicts import Verdicts
from passerelle.report.words import REPAIRS, written_format
from passerelle.store import replies

Both = dict[str, str]


def keep_draft(job: Job, verdicts: Verdicts) -> None:
    """Keep what the sender will be told, and what is known of the sealed verdicts, before anything can refuse the file."""
    if job.order.resends is not None:
        return
    run = (job.run, job.order.convention, job.order.exchange, job.parties.sender)
    sealed = (
        None if verdicts.sealed is None else {**verdicts.sealed.as_json(), "created": int(verdicts.created.timestamp())}
    )
    with job.workspace.database.begin() as connection:
        replies.keep(connection, run, draft(job), sealed, at=job.workspace.now())


def draft(job: Job) -> dict[str, Any]:
    """What is known of the report, and what the manifest of the verdicts needs besides; counts only once rows were judged."""
    judged = "rejected" in job.counts
    counts = {name: job.counts[name] for name in ("read", "accepted", "rejected")} if judged else None
    handling = job.exchange.handling
    contract = job.tools.contract
    report = {
        "title": {"fr": job.exchange.title.fr, "en": job.exchange.title.en},
        "article": job.decision.article or job.exchange.article,
        "period": job.order.period,
        "contract": {"id": contract.id, "version": contract.version, "title": _both(contract.title)},
        "dialect": _dialect(job),
        "tolerated_share": handling.max_rejected_share if handling and handling.rejects == "quarantine" else 0.0,
        "counts": counts,
        "rules": [_rule(job, one) for one in job.tally.by_rule()] if judged else [],
        "repairs": [_repair(name, count) for name, count in sorted(job.repairs.items()) if count],
        "code_lists": _code_lists(contract.columns),
    }
    decision = {
        "outcome": "allow_with_warning" if job.decision.warning else "allow",
        "reason": job.decision.reason,
        "warning": job.decision.warning,
    }
    return {
        "report": report,
        "decision": decision,
        "convention_sha256": job.decision.convention_sha256,
        "key": job.keys.commit(canonical(_content(job))),
    }


def _content(job: Job) -> list[str]:
    """What makes two replies the same, apart from how the run ended."""
    o = job.order
    return ["verdicts", o.convention, o.exchange, o.period, job.contract, job.content, job.parties.sender]


def _dialect(job: Job) -> dict[str, Any] | None:
    known = {one.id: one for one in job.tools.contract.dialects}
    if job.dialect not in known:
        return None
    one = known[job.dialect]
    return {
        "id": one.id,
        "format": one.format,
        "encoding": one.encoding,
        "separator": "TAB" if one.separator == "\t" else one.separator,
        "decimal": one.decimal,
        "date_formats": list(one.date_formats),
    }


def _rule(job: Job, told: Mapping[str, Any]) -> dict[str, Any]:
    rule, column = told["rule"], told["column"]
    expected = job.tools.expected.get((rule, column))
    said = (
        {"fr": f"règle {rule}", "en": f"rule {rule}"}
        if expected is None
        else dict(zip(("fr", "en"), expected, strict=True))
    )
    dialect = _dialect(job)
    if rule == "date" and dialect is not None:
        for language in ("fr", "en"):
            formats = ", ".join(written_format(pattern, language) for pattern in dialect["date_formats"])
            said[language] = f"{said[language]} ({formats})"
    return {**told, "label": _label(job.tools.contract.columns, column), "expected": said}


def _label(columns: Iterable[Column], column: str) -> Both:
    known = {one.name: one for one in columns}
    named = [known[part] for part in column.split("+") if part in known]
    return {
        "fr": " + ".join(one.fr for one in named) or column,
        "en": " + ".join(one.en for one in named) or column,
    }


def _repair(name: str, count: int) -> dict[str, Any]:
    repair, _, column = name.partition(":")
    says = REPAIRS.get(repair)
    words = {"fr": repair, "en": repair} if says is None else says.model_dump()
    return {"repair": repair, "column": column or None, "count": count, "says": words}


def _code_lists(columns: Iterable[Column]) -> list[dict[str, Any]]:
    found: dict[CodeList, list[str]] = {}
    for column in columns:
        if column.codes is not None:
            found.setdefault(column.codes, []).append(column.name)
    return [
        {
            "name": one.name,
            "version": one.version,
            "valid_from": one.valid_from.isoformat() if one.valid_from else None,
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
            "columns": named,
        }
        for one, named in found.items()
    ]


def _both(words: Mapping[str, str]) -> Both:
    return {"fr": words["fr"], "en": words["en"]}
