"""Is the convention in force, until when, and until when its renewal can be prevented (D2, D7, D10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from passerelle.convention import dates
from passerelle.convention.duration import TacitRenewal
from passerelle.convention.event import Event
from passerelle.convention.model import Convention
from passerelle.convention.term import Life, Term, Window, life, opt_out_window
from passerelle.convention.values import Answer, Status, Words


def in_force(convention: Convention, events: tuple[Event, ...], at: datetime) -> Answer:
    """Whether ``at`` falls in [start 00:00, end) of the convention's zone, on what ``events`` tell."""
    story = life(convention, events)
    if story.end is not None and at >= story.end.out_from:
        end = story.end
        return Answer("no", "no", end.basis, end.article, end.words, rules=("D2", *end.rule.split()))
    if story.start is None:
        return _not_started(convention)
    starts = convention.term.starts
    if dates.local_day(at, story.zone) < story.start:
        words = Words(f"prend effet le {dates.fr(story.start)}", f"takes effect on {dates.en(story.start)}")
        return Answer("no", "no", starts.basis, starts.article, words, rules=("D1", "D2"))
    if story.disputed is not None and at >= story.disputed.out_from:
        return _disputed(convention, story)
    if story.end is None and convention.term.kind == "not_stated":
        words = Words(
            f"en vigueur depuis le {dates.fr(story.start)} ; le texte ne dit pas jusqu'à quand",
            f"in force since {dates.en(story.start)}; the text does not say until when",
        )
        return Answer("undetermined", "undetermined", "hub_policy", None, words, who_decides="dpo", rules=("D16",))
    words = Words(f"en vigueur depuis le {dates.fr(story.start)}", f"in force since {dates.en(story.start)}")
    return Answer("yes", "yes", starts.basis, starts.article, words, rules=("D1", "D2"))


def _not_started(convention: Convention) -> Answer:
    starts = convention.term.starts
    if convention.source.kind == "template_charter":
        words = Words("modèle vierge : ni date ni signatures", "blank template: neither date nor signatures")
        return Answer("no", "no", "stated", starts.article, words, rules=("D2",))
    words = Words("aucune signature enregistrée", "no signature on record")
    return Answer(
        "undetermined", "undetermined", starts.basis, starts.article, words,
        who_decides="signatories", rules=("D2", "D16"),
    )  # fmt: skip


def _disputed(convention: Convention, story: Life) -> Answer:
    assert story.disputed is not None  # noqa: S101 - the only caller has just looked
    day = story.disputed.last_day
    if story.disputed is story.doubtful_approval and not isinstance(convention.amendments, str):
        words = Words(
            f"finie le {dates.fr(day)} ou prolongée, selon l'avenant que vise une approbation qui n'en nomme aucun",
            f"ended on {dates.en(day)} or prolonged, depending on which amendment an approval that names none is for",
        )
        article = convention.amendments.article
        return Answer("disputed", "disputed", "interpreted", article, words, who_decides="dpo", rules=("D17", "D18"))
    words = Words(
        f"finie le {dates.fr(day)} ou reconduite, selon la lecture de la dénonciation",
        f"ended on {dates.en(day)} or renewed, depending on how the denunciation is read",
    )
    article = convention.term.renewal.article
    return Answer("disputed", "disputed", "interpreted", article, words, who_decides="dpo", rules=("D7", "D18"))


def starts(convention: Convention, events: tuple[Event, ...]) -> Answer:
    """The first day in force, from 00:00 (D2); no value while the signature is not on record."""
    start = life(convention, events).start
    if start is None:
        return replace(_not_started(convention), value=None)
    rule = convention.term.starts
    words = Words(f"{dates.fr(start)} à 0 h", f"{dates.en(start)} at 00:00")
    return Answer(start, "yes", rule.basis, rule.article, words, rules=("D2",))


def last_day_in_force(convention: Convention, events: tuple[Event, ...], at: datetime | None) -> Answer:
    """The last day in force that is known: of the end on record, else of the term that ``at`` falls in (the first)."""
    story = life(convention, events)
    if story.disputed is not None:
        answer = _disputed(convention, story)
        return Answer(
            story.disputed.last_day, "disputed", "interpreted", answer.article, answer.arithmetic,
            who_decides="dpo", rules=answer.rules,
        )  # fmt: skip
    if story.end is not None:
        end = story.end
        return Answer(end.last_day, "yes", end.basis, end.article, end.words, rules=tuple(end.rule.split()))
    term = current_term(story, at)
    text = convention.term
    if term is not None:
        return Answer(term.last, "yes", text.basis, term.article, term.words, rules=("D3", "D4"))
    words = Words("le texte ne fixe pas de terme", "the text sets no end")
    status: Status = "no" if text.kind == "open_ended" else "undetermined"
    return Answer(None, status, text.basis, text.article, words, rules=("D16",))


def current_term(story: Life, at: datetime | None, number: int | None = None) -> Term | None:
    """The term of that number, else the one that ``at`` falls in, else the first."""
    if number is not None:
        return story.term_number(number)
    found = None if at is None else story.term_on(dates.local_day(at, story.zone))
    return found or next(story.terms(), None)


def opt_out(convention: Convention, events: tuple[Event, ...], at: datetime | None, number: int | None) -> Answer:
    """The last safe day to prevent the renewal of a term (D7); no value when the text renews nothing tacitly."""
    found = opt_out_days(convention, events, at, number)
    renewal = convention.term.renewal
    if found is None or not isinstance(renewal, TacitRenewal):
        words = Words("pas de reconduction tacite", "no tacit renewal")
        return Answer(None, "no", renewal.basis, renewal.article, words, rules=("D7",))
    term, window = found
    clause = renewal.opt_out
    words = Words(
        f"{dates.fr(term.last)} - {dates.fr_period(clause.at_least)} = {dates.fr(window.safe)}, sans report (délai à rebours)",
        f"{dates.en(term.last)} - {dates.en_period(clause.at_least)} = {dates.en(window.safe)}, no roll (counted backwards)",
    )
    return Answer(window.safe, "yes", clause.basis, clause.article, words, rules=("D3", "D6", "D7"))


def opt_out_days(
    convention: Convention, events: tuple[Event, ...], at: datetime | None, number: int | None = None
) -> tuple[Term, Window] | None:
    """The term asked and its window."""
    renewal = convention.term.renewal
    term = current_term(life(convention, events), at, number)
    if term is None or not isinstance(renewal, TacitRenewal):
        return None
    return term, opt_out_window(renewal, term.last)


def opt_out_timely(convention: Convention, events: tuple[Event, ...], number: int | None) -> Answer:
    """Whether the recorded denunciation prevents the renewal: timely, late or disputed; None without one."""
    renewal = convention.term.renewal
    judged = [term for term in _judged(life(convention, events), number) if term.opt_out is not None]
    if not judged:
        words = Words("aucune dénonciation enregistrée", "no denunciation on record")
        return Answer(None, "no", renewal.basis, renewal.article, words, rules=("D7",))
    term = judged[0]
    words = Words(f"pour le terme du {dates.fr(term.last)}", f"for the end of {dates.en(term.last)}")
    status: Status = "disputed" if term.opt_out == "disputed" else "yes"
    who = "dpo" if status == "disputed" else None
    return Answer(
        term.opt_out,
        status,
        "interpreted",
        renewal.article,
        words,
        who_decides=who,
        rules=("D7",),
    )


def _judged(story: Life, number: int | None) -> list[Term]:
    if not story.opt_outs():
        return []
    if number is not None:
        term = story.term_number(number)
        return [] if term is None else [term]
    found: list[Term] = []
    last_word = max((day for event in story.opt_outs() for day in story.days(event)), default=date.min)
    for term in story.terms():
        found.append(term)
        if term.last >= last_word:
            break
    return [term for term in found if term.first <= last_word <= term.last] or found[-1:]
