"""The plot of the volume history: bars, drawn as SVG inside the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from passerelle.profile import Profile

if TYPE_CHECKING:
    from markupsafe import Markup

PERIODS = 12  # earlier periods shown
WIDTH, HEIGHT, TOP, BOTTOM = 940, 220, 24, 28  # user units


def volume_plot(
    profile: Profile, history: Sequence[Profile], words: Mapping[str, str], number: Callable[[float], str]
) -> Markup:
    """Rows read by period, oldest first, the profile's own last; its text says the same as its bars."""
    from markupsafe import Markup

    shown = [*history[-PERIODS:], profile]
    highest = max((p.read for p in shown), default=0) or 1
    step = WIDTH / len(shown)
    width = min(step * 0.7, 60)
    bars = []
    for place, one in enumerate(shown):
        middle, height = step * (place + 0.5), (HEIGHT - TOP - BOTTOM) * one.read / highest
        base = HEIGHT - BOTTOM
        colour = "--now" if one is profile else "--bar"
        bars.append(
            f'<rect x="{middle - width / 2:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'style="fill:var({colour})"/>'
            f'<text x="{middle:.1f}" y="{base - height - 6:.1f}" text-anchor="middle">{number(one.read)}</text>'
            f'<text x="{middle:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(one.period)}</text>'
        )
    text = "; ".join(f"{one.period}: {number(one.read)}" for one in shown)
    return Markup(  # noqa: S704 -- every text in it is a number or escaped
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(words['volume'])}</title><desc>{escape(text)}</desc>{''.join(bars)}"
        f'<line x1="0" y1="{HEIGHT - BOTTOM}" x2="{WIDTH}" y2="{HEIGHT - BOTTOM}" style="stroke:var(--line)"/></svg>'
    )
