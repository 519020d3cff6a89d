"""How concurrent transfers share links: the rates, and nothing about time.

Progressive filling for max-min fairness with caps and weights: all rates rise together, in
proportion to their weights, until a flow meets its own limit or a link is full, of which it may
take but a share of its rate; what is fixed stays, the rest goes on rising (Bertsekas & Gallager,
*Data Networks*, 2nd ed., section 6.5.2; SimGrid's flow model solves the same problem). On ``fifo``
links only the transfer that came first moves; on ``priority`` links higher classes are filled
before lower ones see any bandwidth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar


class SharedLink(Protocol):
    """What the solver reads of a link."""

    capacity: float
    fifo: bool
    strict: bool


L = TypeVar("L", bound=SharedLink)


class Shareable(Protocol[L]):
    """What the solver reads and writes of a flow. ``limit`` is finite."""

    limit: float
    weight: float
    priority: int
    new_rate: float
    bottleneck: L | None

    @property
    def crosses(self) -> Mapping[L, float]:
        """The links it crosses, each with the share of its rate that it takes there."""

    @property
    def links(self) -> Sequence[L]:
        """The same links without the shares."""


def share(flows: Sequence[Shareable[L]], links: Sequence[L]) -> None:
    """Sets ``new_rate`` and ``bottleneck`` of every flow.

    ``links`` are the ones that can bind (their capacity is less than the sum of the limits on
    them, or they are ``fifo``); links of a flow that are not listed are ignored. ``flows`` must
    stand in order of age. ``bottleneck`` is the link that stopped a flow, ``None`` at its limit.
    """
    remaining = {id(link): link.capacity for link in links}
    if any(link.fifo for link in links):
        flows = _heads(flows, remaining)
    if any(link.strict for link in links):
        for level in sorted({flow.priority for flow in flows}, reverse=True):
            _fill([flow for flow in flows if flow.priority == level], links, remaining)
    else:
        _fill(flows, links, remaining)


def _heads(flows: Sequence[Shareable[L]], binding: dict[int, float]) -> list[Shareable[L]]:
    """The flows that are first on each of their fifo links; the others stand still."""
    taken: set[int] = set()
    moving = []
    for flow in flows:
        queue = [link for link in flow.links if link.fifo and id(link) in binding]
        blocked = next((link for link in queue if id(link) in taken), None)
        taken.update(id(link) for link in queue)
        if blocked is None:
            moving.append(flow)
        else:
            flow.new_rate = 0.0
            flow.bottleneck = blocked
    return moving


def _fill(flows: Sequence[Shareable[L]], links: Sequence[L], remaining: dict[int, float]) -> None:
    """Progressive filling of ``flows`` into what ``remaining`` holds, which it reduces."""
    if len(links) == 1:
        _fill_one(flows, links[0], remaining)
        return
    paths = {
        id(flow): [(id(link), part) for link, part in flow.crosses.items() if id(link) in remaining]
        for flow in flows
    }
    weight = {id(link): 0.0 for link in links}
    for flow in flows:
        for link, part in paths[id(flow)]:
            weight[link] += flow.weight * part
    waiting = list(flows)
    while waiting:
        level, tight = _tightest(links, weight, remaining)
        settled = [flow for flow in waiting if flow.limit <= level * flow.weight]
        if settled:
            for flow in settled:
                flow.new_rate, flow.bottleneck = flow.limit, None
        else:
            assert tight is not None
            settled = [flow for flow in waiting if tight in flow.crosses]
            for flow in settled:
                flow.new_rate, flow.bottleneck = level * flow.weight, tight
        for flow in settled:
            for link, part in paths[id(flow)]:
                remaining[link] -= flow.new_rate * part
                weight[link] -= flow.weight * part
        if tight is not None and settled and settled[0].bottleneck is tight:
            remaining[id(tight)] = 0.0
            weight[id(tight)] = 0.0
        done = {id(flow) for flow in settled}
        waiting = [flow for flow in waiting if id(flow) not in done]


def _tightest(
    links: Sequence[L], weight: dict[int, float], remaining: dict[int, float]
) -> tuple[float, L | None]:
    level = float("inf")
    tight: L | None = None
    for link in links:
        if weight[id(link)] > 1e-12:
            candidate = max(remaining[id(link)], 0.0) / weight[id(link)]
            if candidate < level:
                level, tight = candidate, link
    return level, tight


def _fill_one(flows: Sequence[Shareable[L]], link: L, remaining: dict[int, float]) -> None:
    """The common case: one link binds. Flows in order of limit per weight, each takes its share."""
    left = max(remaining[id(link)], 0.0)
    weight = 0.0
    for flow in flows:
        weight += flow.weight * flow.crosses[link]
    for flow in sorted(flows, key=_limit_per_weight):
        part = flow.crosses[link]
        fair = left * flow.weight / weight if weight > 0 else 0.0
        if flow.limit <= fair:
            flow.new_rate, flow.bottleneck = flow.limit, None
        else:
            flow.new_rate, flow.bottleneck = fair, link
        left -= flow.new_rate * part
        weight -= flow.weight * part
    remaining[id(link)] = max(left, 0.0)


def _limit_per_weight(flow: Shareable[L]) -> float:
    return flow.limit / flow.weight
