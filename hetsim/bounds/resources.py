"""What units share: links, by bytes, and the host's cores, by seconds of arithmetic.

A link carries no more than it is wide. The host's cores work for no more than all of them: beyond
as many threads as cores each gets its share of one, so the arithmetic of kernels and the host's
steps add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hetsim.bounds.floors import NOTHING, Least, Resource
from hetsim.bounds.tolls import Tolls
from hetsim.cost.work import Step
from hetsim.soc.model import SoC

Table = tuple[tuple[Least, ...], ...]


@dataclass(frozen=True)
class OfUnit:
    """What one unit needs, by operator: seconds, until results leave, bytes, core-seconds."""

    ops: tuple[Least, ...]
    leave: tuple[float, ...]
    moved: tuple[Least, ...]
    stored: tuple[float, ...]
    busy: tuple[Least, ...]


def resources_of(
    soc: SoC, answers: Sequence[OfUnit], tolls: Tolls, *, count_bytes: bool
) -> tuple[Resource, ...]:
    """The host's cores, and each link that several units cannot avoid; of like ones the slowest."""
    host = soc.host
    cores = [pu.cores if pu.cluster == host.cluster else 0 for pu in soc.pus]
    nothing = tuple((0.0,) * len(soc.pus) for _ in answers[0].ops)
    found = [
        Resource(
            1.0 / host.spec.thread_cores,
            _table([a.busy for a in answers], cores),
            nothing,
            *_host(tolls, _seconds),
            call=float(soc.runtime.partition_call),
        )
    ]
    if not count_bytes:
        return tuple(found)
    slowest: dict[frozenset[int], float] = {}
    for halves in _wholes(soc):
        units = frozenset(
            pu.index
            for pu in soc.pus
            if all(not halves.keys().isdisjoint(way.crossed) for way in pu.best_ways)
        )
        if len(units) > 1:
            slowest[units] = max(slowest.get(units, 0.0), 1.0 / sum(halves.values()))
    for units, seconds in slowest.items():
        inside = [int(pu.index in units) for pu in soc.pus]
        stored = tuple(
            tuple(s * i if i else 0.0 for s, i in zip(row, inside, strict=True))
            for row in zip(*(a.stored for a in answers), strict=True)
        )
        bytes_of = _bytes if host.index in units else _none
        moved = _table([a.moved for a in answers], inside)
        found.append(Resource(seconds, moved, stored, *_host(tolls, bytes_of)))
    return tuple(found)


def _wholes(soc: SoC) -> Iterable[Mapping[str, float]]:
    """The links, B/s at best by name: of full-duplex ones both directions together."""
    found: dict[str, dict[str, float]] = {}
    for link in soc.links.values():
        found.setdefault(link.whole or link.name, {})[link.name] = max(link.bandwidth)
    return found.values()


def _table(columns: Sequence[Sequence[Least]], factors: Sequence[int]) -> Table:
    """By operator and unit, some units counted and others not."""
    return tuple(
        tuple(
            Least(each.alone * f, tuple((n, a * f) for n, a in each.beside)) if f else NOTHING
            for each, f in zip(row, factors, strict=True)
        )
        for row in zip(*columns, strict=True)
    )


def _host(
    tolls: Tolls, amount: Callable[[Step], float]
) -> tuple[
    Callable[[str, int | None, int | None], float],
    Callable[[str, int], float],
]:
    """What crossings need, by an amount for each of the host's steps."""

    def toll(tensor: str, source: int | None, target: int | None) -> float:
        return sum(amount(step) for step in tolls.steps(tensor, source, target))

    def handing(tensor: str, source: int) -> float:
        return sum(amount(step) for step in tolls.handing_steps(tensor, source))

    return toll, handing


def _seconds(step: Step) -> float:
    return step.seconds


def _bytes(step: Step) -> float:
    return float(step.bytes)


def _none(step: Step) -> float:
    return 0.0
