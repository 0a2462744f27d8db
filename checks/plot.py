"""The plots of the history: bars by period, drawn as SVG inside the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

from passerelle.profile import Profile

if TYPE_CHECKING:
    from markupsafe import Markup

PERIODS = 12  # earlier periods shown
WIDTH, HEIGHT, TOP, BOTTOM = 940, 200, 24, 28  # user units


def bars(
    profile: Profile,
    history: Sequence[Profile],
    title: str,
    measure: Callable[[Profile], float],
    said: Callable[[float], str],
) -> Markup:
    """``measure`` by period, oldest first, the profile's own last; its text says the same as its bars."""
    from markupsafe import Markup

    shown = [(one.period, measure(one)) for one in (*history[-PERIODS:], profile)]
    highest = max((value for _, value in shown), default=0) or 1
    step = WIDTH / len(shown)
    width, base = min(step * 0.7, 60), HEIGHT - BOTTOM
    drawn = []
    for place, (period, value) in enumerate(shown):
        middle, height = step * (place + 0.5), (HEIGHT - TOP - BOTTOM) * value / highest
        kind = "now" if place == len(shown) - 1 else "bar"
        drawn.append(
            f'<rect x="{middle - width / 2:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'class="{kind}"/>'
            f'<text x="{middle:.1f}" y="{base - height - 6:.1f}" text-anchor="middle">{said(value)}</text>'
            f'<text x="{middle:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(period)}</text>'
        )
    text = "; ".join(f"{period}: {said(value)}" for period, value in shown)
    return Markup(  # noqa: S704 -- every text in it is a number or escaped
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(title)}</title><desc>{escape(text)}</desc>{''.join(drawn)}"
        f'<line x1="0" y1="{base}" x2="{WIDTH}" y2="{base}" class="axis"/></svg>'
    )
