"""Tables to protect, made from arrays, and the attack on what came out of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from passerelle.disclosure import Dimension, OutcomeTable, Rate, Thresholds
from tests.disclosure.attacker import Attacker, Key

Counts = npt.NDArray[np.int64]

WAYS = (Dimension(("course",), total=("total",)), Dimension(("territory",), total=("total",)))
ROLES = OutcomeTable(WAYS, ("leavers", "employed"), rates=(Rate("rate", "employed", "leavers"),))


def with_totals(inner: Counts) -> Counts:
    """The table with its row totals, column totals and grand total."""
    return np.vstack([np.column_stack([inner, inner.sum(axis=1)]), np.append(inner.sum(axis=0), inner.sum())])


def outcome_table(leavers: Counts, employed: Counts, *, totals: bool = True) -> pa.Table:
    """Course by territory: leavers, employed, and the rate in % with one decimal (null when nobody left)."""
    names = [[f"{letter}{i}" for i in range(size)] for letter, size in zip("ct", leavers.shape, strict=True)]
    if totals:
        leavers, employed = with_totals(leavers), with_totals(employed)
        names = [[*codes, "total"] for codes in names]
    left, jobs = leavers.ravel().tolist(), employed.ravel().tolist()
    return pa.table(
        {
            "course": [course for course in names[0] for _ in names[1]],
            "territory": names[1] * len(names[0]),
            "leavers": pa.array(left, pa.int64()),
            "employed": pa.array(jobs, pa.int64()),
            "rate": pa.array([round(100 * e / n, 1) if n else None for e, n in zip(jobs, left, strict=True)]),
        }
    )


def drawn(courses: int, territories: int, mean: float, seed: int) -> tuple[Counts, Counts]:
    """Leavers and employed of each course in each territory, as skewed as real ones."""
    rng = np.random.default_rng(seed)
    leavers = rng.poisson(rng.gamma(1.0, mean, size=(courses, territories)))
    return leavers, rng.binomial(leavers, rng.beta(5, 5, size=leavers.shape))


def too_well_known(before: pa.Table, after: pa.Table, thresholds: Thresholds, *, totals: bool = True) -> list[str]:
    """What the attacker of ``attacker.py`` finds that the thresholds forbid; empty when the table is safe."""
    published: dict[Key, str] = {}
    at_most: list[tuple[Key, Key, float]] = []
    for row in after.to_pylist():
        cell = row["course"], row["territory"]
        published |= {(*cell, name): row[name] for name in ("leavers", "employed")}
        if row["rate"] == "< 5 %":
            at_most.append(((*cell, "employed"), (*cell, "leavers"), 0.05))
        if row["rate"] == "> 95 %":
            at_most.append(((*cell, "jobless"), (*cell, "leavers"), 0.05))
        published[*cell, "jobless"] = "*"
    attacker = Attacker(published, "total" if totals else None, (("leavers", ("employed", "jobless")),), tuple(at_most))
    found = []
    for row in before.to_pylist():
        cell, left, jobs = (row["course"], row["territory"]), row["leavers"], row["employed"]
        figures = {"leavers": left, "employed": jobs, "jobless": left - jobs}
        for name, figure in figures.items():
            rated = name == "employed" and left < thresholds.min_denominator
            if left > 0 and (figure < thresholds.min_count or rated):
                low, high = attacker.interval([((*cell, name), 1.0)])
                if low > 1e-6 or high < min(thresholds.min_count, thresholds.min_denominator) - 1e-6:
                    found.append(f"{cell} {name}: {figure} in [{low}, {high}]")
    return found
