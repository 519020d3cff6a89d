"""Max-min fair sharing in exact arithmetic, written from the definition and for no speed.

Independent of ``hetsim.sim``: it shares no code with it and knows no congestion flags, components
or timers. At every event the rates of all flows are found anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass
class Moving:
    """A flow on its way."""

    number: int
    left: Fraction
    path: Sequence[str]
    cap: Fraction | None
    weight: Fraction
    priority: int
    rate: Fraction = Fraction(0)


def finish_times(
    links: Mapping[str, Sequence[float]],
    flows: Sequence[tuple[float, float, Sequence[str], float | None, float, int]],
    arbitration: str = "weighted",
) -> list[Fraction]:
    """Finish times of ``flows``: (start, bytes, path, cap, weight, priority) each.

    ``links[name][n - 1]`` is the capacity with n flows, the last one holding beyond. A flow's own
    limit is its cap and the solo capacity of its links. ``arbitration`` holds for all links.
    """
    waiting = sorted(range(len(flows)), key=lambda i: (flows[i][0], i))
    moving: list[Moving] = []
    finish = [Fraction(-1)] * len(flows)
    now = Fraction(0)
    while waiting or moving:
        share(links, moving, arbitration)
        ends = [now + f.left / f.rate for f in moving if f.rate > 0]
        starts = [Fraction(flows[waiting[0]][0])] if waiting else []
        then = min([*ends, *starts])
        for flow in moving:
            flow.left -= flow.rate * (then - now)
        now = then
        for flow in moving:
            if flow.left == 0:
                finish[flow.number] = now
        moving = [flow for flow in moving if flow.left > 0]
        while waiting and Fraction(flows[waiting[0]][0]) == now:
            number = waiting.pop(0)
            _, amount, path, cap, weight, priority = flows[number]
            if amount == 0:
                finish[number] = now
                continue
            solo = [Fraction(links[name][0]) for name in path]
            limits = solo if cap is None else [*solo, Fraction(cap)]
            moving.append(
                Moving(number, Fraction(amount), path, min(limits), Fraction(weight), priority)
            )
    return finish


def share(links: Mapping[str, Sequence[float]], flows: list[Moving], arbitration: str) -> None:
    """Sets the rates of ``flows``, which stand in order of arrival."""
    free = {}
    for name, capacities in links.items():
        users = sum(name in flow.path for flow in flows)
        free[name] = Fraction(capacities[min(max(users, 1), len(capacities)) - 1])
    if arbitration == "fifo":
        taken: set[str] = set()
        for flow in flows:
            flow.rate = Fraction(0)
            if taken.isdisjoint(flow.path):
                fill([flow], free)
            taken.update(flow.path)
    elif arbitration == "priority":
        for level in sorted({flow.priority for flow in flows}, reverse=True):
            fill([flow for flow in flows if flow.priority == level], free)
    else:
        fill(flows, free)


def fill(flows: list[Moving], free: dict[str, Fraction]) -> None:
    """All rates rise together, in proportion to weights, until a cap or a link stops each."""
    rising = list(flows)
    for flow in flows:
        flow.rate = Fraction(0)
    while rising:
        steps = [(flow.cap - flow.rate) / flow.weight for flow in rising if flow.cap is not None]
        for name, left in free.items():
            weight = sum((flow.weight for flow in rising if name in flow.path), Fraction(0))
            if weight:
                steps.append(left / weight)
        step = min(steps)
        for flow in rising:
            flow.rate += step * flow.weight
            for name in flow.path:
                free[name] -= step * flow.weight
        rising = [
            flow
            for flow in rising
            if flow.rate != flow.cap and all(free[name] > 0 for name in flow.path)
        ]
