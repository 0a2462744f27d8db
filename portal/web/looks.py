"""How pages are written: templates, and what people read in them (dates, figures, two languages)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from portal import render, words
from portal.render import Lang, Text
from portal.web.listing import Column

HERE = Path(__file__).parent
STATIC = HERE / "static"
LONG = 60  # characters of a cell from which its column is kept wide enough to be read


@cache
def environment() -> Environment:
    """The templates, escaped as HTML; a name that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["sentences"] = _sentences
    return made


def speaking(lang: Lang) -> Mapping[str, Any]:
    """What templates call to speak ``lang``: t(fr, en), day, moment, number, share, size, said, yes."""

    def t(fr: str, en: str) -> str:
        return _unbroken(fr) if lang == "fr" else en

    def words_of(text: Text | str | None) -> str:
        if text is None:
            return "–"
        return t(text.fr, text.en) if isinstance(text, Text) else text

    return {
        "lang": lang,
        "t": t,
        "words": words_of,
        "day": lambda value: "–" if value is None else _whole(render.day(_date(value), lang)),
        "moment": lambda value: _whole(words.moment(_iso(value), lang) or "–"),
        "number": lambda value: "–" if value is None else render.number(value, lang),
        "share": lambda value: "–" if value is None else render.share(value, lang),
        "size": lambda value: "–" if value is None else render.size(value, lang),
    }


def cell(kind: str, value: Any, speak: Mapping[str, Any]) -> str | Markup:
    """One value of a list as its reader wants it; ``kind`` is that of its column (portal/web/listing.py)."""
    if value is None or value == "":
        return "–"
    if kind == "code":
        each = (str(escape(one)).replace("/", "/<wbr>") for one in str(value).split(", "))
        return Markup(", ".join(f"<code>{one}</code>" for one in each))  # noqa: S704 - escaped above
    shown: Callable[[Any], str] | None = speak.get({"words": "words"}.get(kind, kind))
    return shown(value) if shown is not None else escape(speak["words"](value) if isinstance(value, Text) else value)


def lines(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], speak: Mapping[str, Any]) -> Markup:
    """The lines of a list's table: written here, for a template takes five times as long for each cell."""
    made = []
    for row in rows:
        made.append("<tr>")
        for column in columns:
            shown, key = str(escape(cell(column.kind, row.get(column.key), speak))), column.key
            tone, href = row.get(f"{key}_tone"), row.get(f"{key}_href")
            look = ' class="n"' if column.right else ' class="long"' if len(shown) > LONG else ""
            if href:
                shown = f'<a href="{escape(href)}">{shown}</a>'
            elif tone is not None:
                shown = f'<span class="badge {escape(tone)}">{shown}</span>'
            made.append(f"<td{look}>{shown}</td>")
        made.append("</tr>\n")
    return Markup("".join(made))  # noqa: S704 - every value in it was escaped above


def _whole(when: str) -> str:
    """A date whose parts stay together, and an hour whose parts do; a line may end between the two."""
    return re.sub("\u00a0(?=(?:à|at)\u00a0)", " ", when.replace(" ", "\u00a0"))


def _date(value: date | str) -> date:
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value


def _iso(value: datetime | str | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


def _unbroken(french: str) -> str:
    """French text whose marks stay with the word they belong to."""
    return re.sub(r" (?=[:;?!»%](?:\s|$))", "\u00a0", french).replace("« ", "«\u00a0")


def _sentences(text: str) -> Markup:
    """A text of several lines, as paragraphs."""
    return Markup("").join(Markup("<p>{}</p>").format(line) for line in text.splitlines() if line.strip())
