"""Choosing what else to withhold: the exact optimum for small tables, and the cheapest repair for one figure of any table."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy.optimize import Bounds as Box
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import csr_array, diags_array, eye_array, hstack, kron, vstack

from passerelle.disclosure.rules import Mask
from passerelle.disclosure.system import System

MAX_SIZE = 1_200  # variables times needs: 0.5 s; at 4,000 seconds, at 5,400 half a minute
NOISE = 1e-7  # persons; below it, HiGHS moved nothing
MAX_MOVE = 2.0  # no useful cycle moves a figure further than this many times the need
NEED = 0.125  # a need in the solver's units: coefficients of 0/1 variables well under 1 keep HiGHS from repairing solutions
MAX_NODES = 20_000  # of the search tree: a bound that does not depend on the machine, unlike a time


@contextmanager
def _solver_lines_to_stderr() -> Iterator[None]:
    """Keep standard output for the command's answer: HiGHS 1.12 prints a debugging line there when it repairs a solution."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _needs(system: System) -> list[tuple[int, float]]:
    """(variable, change) of each deviation that must stay possible."""
    down = [
        (int(i), float(system.need_low[i] - system.values[i])) for i in np.flatnonzero(system.need_low < system.values)
    ]
    up = [
        (int(i), float(system.need_high[i] - system.values[i]))
        for i in np.flatnonzero(system.need_high > system.values)
    ]
    return down + up


def is_small(system: System) -> bool:
    """Whether ``cheapest`` answers in seconds."""
    return len(system.values) * len(_needs(system)) <= MAX_SIZE


def cheapest(system: System, forced: Mask) -> Mask | None:
    """The cheapest pattern that protects every figure, ``forced`` included; None when there is none, or none found in time.

    One 0/1 variable for each figure that may be withheld; for each need, one table of deviations that respects every
    equation, reaches the need, and moves only what is withheld (Fischetti and Salazar, Management Science 47, 2001).
    """
    needs, size = _needs(system), len(system.values)
    if not needs:
        return forced
    count, height = len(needs), system.matrix.shape[0]
    changes = np.array([change for _, change in needs])
    units = np.abs(changes)[:, None] / NEED  # of the deviations of each need
    down = np.minimum((system.values - system.floors)[None, :] / units, MAX_MOVE * NEED)
    up = np.minimum((system.ceilings - system.values)[None, :] / units, MAX_MOVE * NEED)
    may = system.candidates
    low_s = np.where(forced | system.hidden, 1.0, 0.0)
    high_s = np.where(forced | system.hidden | may, 1.0, 0.0)
    low_y, high_y = -down, up.copy()
    at = np.arange(count), np.array([variable for variable, _ in needs])
    reached = NEED * np.sign(changes)
    if (reached < low_y[at] - NOISE).any() or (reached > high_y[at] + NOISE).any():
        return None
    low_y[at] = high_y[at] = reached
    moves = kron(eye_array(count), system.matrix, format="csr")
    same = eye_array(count * size)
    above = hstack([vstack([diags_array(-row) for row in up]), same], format="csr")
    below = hstack([vstack([diags_array(row) for row in down]), same], format="csr")
    cost = np.where(may, np.where(np.isfinite(system.weights), system.weights, 0.0), 0.0)
    with _solver_lines_to_stderr():
        answer = milp(
            np.concatenate([cost, np.zeros(count * size)]),
            integrality=np.concatenate([np.ones(size), np.zeros(count * size)]),
            bounds=Box(np.concatenate([low_s, low_y.ravel()]), np.concatenate([high_s, high_y.ravel()])),
            constraints=[
                LinearConstraint(hstack([csr_array((count * height, size)), moves], format="csr"), 0, 0),
                LinearConstraint(above, -np.inf, 0),
                LinearConstraint(below, 0, np.inf),
            ],
            options={"node_limit": MAX_NODES, "mip_rel_gap": 1e-6, "presolve": False},
        )
    if answer.status != 0:
        return None
    return np.asarray((np.rint(answer.x[:size]) == 1) & may)


def repair(system: System, suppressed: Mask, variable: int, change: float) -> Mask | None:
    """What else to withhold, cheaply, so that figure ``variable`` may differ by ``change``; None when nothing can.

    The linear program of Kelly, Golden and Assad (Networks 22, 1992): the least weighted movement, what moves is withheld.
    """
    free = suppressed | system.hidden
    weights = np.where(free, 1e-3, np.where(system.candidates, system.weights, 0.0))
    down = np.where(free | system.candidates, system.values - system.floors, 0.0)
    up = np.where(free | system.candidates, system.ceilings - system.values, 0.0)
    up = np.minimum(up, float(system.values.sum()) + abs(change))
    low_up, low_down = np.zeros(len(up)), np.zeros(len(up))
    if change > up[variable] or -change > down[variable]:
        return None
    low_up[variable] = up[variable] = max(change, 0.0)
    low_down[variable] = down[variable] = max(-change, 0.0)
    equal = hstack([system.matrix, -system.matrix], format="csr")
    box = np.stack([np.concatenate([low_up, low_down]), np.concatenate([up, down])], axis=1)
    answer = linprog(
        np.concatenate([weights, weights]), A_eq=equal, b_eq=np.zeros(equal.shape[0]), bounds=box, method="highs"
    )
    if answer.status != 0:
        return None
    moved = np.abs(answer.x[: len(up)] - answer.x[len(up) :]) > NOISE
    return np.asarray((suppressed | moved) & ~system.hidden)
