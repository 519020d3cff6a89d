"""Proving a bound on one window: quick guess, full search, search that raises the bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hetsim.bounds.floors import Floors
from hetsim.bounds.relaxation import Window
from hetsim.schedulers.exact.model import WindowModel
from hetsim.schedulers.exact.proof import Budget, Strategy, WindowProof
from hetsim.workload.graph import Graph

MARGIN = 1e-4
"""What a second model's ticks may round differently, as a share of its horizon."""


def prove(
    graph: Graph,
    floors: Floors,
    window: Window,
    budget: Budget,
    hint: Mapping[int, int],
    known: WindowProof | None = None,
) -> WindowProof:
    """The best that ``budget`` suffices to prove about ``window``; ``hint`` suggests PUs.

    Solved up to three times: with the PUs of the hint, which is quick; in full with nothing later
    than that, which rules most placements out before the search begins; and once more, if that did
    not close the gap, in a search that raises the bound.

    Raises:
        MissingExtraError: OR-Tools is not installed.
    """
    if known is not None and known.value_s is not None:
        best = known
        plan: tuple[tuple[float, Strategy], ...] = ((1.0, "raise"),)
        effort = 0.0
    else:
        places = {op: hint[op] for op in window.ops if op in hint} | dict(window.fixed)
        guessed = replace(window, fixed=places)
        best = WindowModel(graph, floors, guessed).solve(budget.share(0.1))
        effort = best.effort
        best = replace(best, bound_s=0.0)  # it holds for these places alone
        plan = ((0.2, "plain"), (0.3, "vary"), (0.4, "raise"))
    for part, strategy in plan:
        horizon = None if best.value_s is None else max(best.value_s, 1e-9) * (1.0 + MARGIN)
        model = WindowModel(graph, floors, window, horizon)
        found = model.solve(budget.share(part), best.places or hint, strategy=strategy)
        bound = max(best.bound_s, found.bound_s)
        if found.value_s is not None and (best.value_s is None or found.value_s < best.value_s):
            best = found
        effort += found.effort
        best = replace(best, bound_s=bound, closed=found.closed, effort=effort)
        if found.closed:
            break
    if best.value_s is not None:
        best = replace(best, bound_s=min(best.bound_s, best.value_s))
    return best
