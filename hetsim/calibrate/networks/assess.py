"""A table of measured networks, judged: what it says of itself, and how wrong models of it are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hetsim.calibrate.networks.agreement import Agreement, agreement
from hetsim.calibrate.networks.cases import Cases, MeasuredNetwork
from hetsim.calibrate.networks.described import DescribedModel
from hetsim.calibrate.networks.judge import Judged, judge_known, judge_new
from hetsim.calibrate.networks.protocol import NetworkModel
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.cost.measured.table import Doubt
from hetsim.errors import ConfigError, Location
from hetsim.names import suggest
from hetsim.progress import Progress

FEWEST = 4
"""Networks that a device must have run to be judged."""


class NothingToJudgeError(ConfigError):
    """A table of which nothing is left; ``doubts`` say why."""

    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """What was found out about a table.

    ``used``: the cases that were judged or learned from; ``few``: devices (and how many networks)
    with fewer than :data:`FEWEST`, which are not judged. ``doubts``: all, of rows, graphs and
    the table.
    ``known`` and ``new``: the two tasks of :mod:`~hetsim.calibrate.networks.judge`.
    """

    rows: int
    cases: Cases
    used: tuple[MeasuredNetwork, ...]
    doubts: tuple[Doubt, ...]
    agreement: Agreement
    known: Judged
    new: Judged
    few: Mapping[str, int]
    seed: int

    @property
    def excluded(self) -> int:
        """Rows that have a graph and whose doubts keep them out."""
        return sum(case.excluded for case in self.cases.cases)


def assess(
    rows: Sequence[NetworkTime],
    cases: Cases,
    models: Sequence[NetworkModel],
    transfer: Sequence[NetworkModel],
    *,
    described: DescribedModel | None = None,
    device: str | None = None,
    precision: str | None = None,
    doubtful: bool = False,
    folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> Assessment:
    """Judges ``models`` on known devices and ``transfer`` on new ones.

    ``device`` and ``precision`` (a group of :mod:`~hetsim.calibrate.networks.precision`) narrow
    what is asked; other devices still stand beside a new one. ``described`` is the SoC of that
    device, judged first, and rows that are faster than it could be are doubted. ``doubtful``:
    rows whose doubts would keep them out, too.

    Raises:
        ConfigError: no such device or precision, several devices for one SoC, or (then a
            :class:`NothingToJudgeError`) nothing is left to judge.
    """
    where = Location(rows[0].where.file) if rows[0].where else None
    own = _devices(cases, device, where)
    macs = {
        (case.row.network, case.row.component): sum(op.macs for op in case.graph.operators)
        for case in cases.cases
    }
    table = agreement(rows, macs, keep=[device] if device is not None else ())
    told: dict[Location, list[Doubt]] = defaultdict(list)
    for doubt in table.doubts:
        if doubt.where is not None:
            told[doubt.where].append(doubt)
    used = [
        replace(case, doubts=(*case.doubts, *told.get(case.where, ()))) if case.where else case
        for case in cases.usable(doubtful=doubtful)
        if case.row.device not in table.copies
    ]
    used = _of_precision(used, precision, where)
    below: list[Doubt] = []
    if described is not None:
        if len(own) > 1:
            raise ConfigError(
                f"{len(own)} devices fit; a SoC's unit is one of them",
                where=where,
                hint=f"give one with --device: {', '.join(sorted(own))}",
            )
        below = list(described.below_bound([case for case in used if case.device in own]))
        models = [described, *models]
    count = {
        name: len({case.row.network for case in used if case.device == name})
        for name in sorted({case.device for case in used} & own)
    }
    asked = [name for name, networks in count.items() if networks >= FEWEST]
    few = {name: networks for name, networks in count.items() if networks < FEWEST}
    doubts = tuple(dict.fromkeys([*cases.doubts, *table.doubts, *below]))
    if not asked:
        error = NothingToJudgeError(
            f"no device has the {FEWEST} networks that judging takes: of {len(rows)} rows"
            f" {len(cases.cases)} have a graph, and doubts keep"
            f" {sum(case.excluded for case in cases.cases)} of them out"
            + "".join(f"; {name} has {networks}" for name, networks in few.items()),
            where=where,
            hint="--include-doubtful keeps doubtful rows",
        )
        error.doubts = doubts
        raise error
    known = judge_known(used, models, devices=asked, folds=folds, seed=seed, progress=progress)
    new = judge_new(used, transfer, devices=asked, seed=seed, progress=progress)
    return Assessment(len(rows), cases, tuple(used), doubts, table, known, new, few, seed)


def _devices(cases: Cases, device: str | None, where: Location | None) -> set[str]:
    """The devices asked for: a unit as reports call it, or all units of a device."""
    every = {case.device for case in cases.cases}
    if device is None:
        return every
    own = every & {device} or {c.device for c in cases.cases if c.row.device == device}
    if not own:
        names = sorted(every)
        raise ConfigError(
            f"no device with a graph is called {device!r}; {suggest(device, names)}", where=where
        )
    return own


def _of_precision(
    cases: Sequence[MeasuredNetwork], precision: str | None, where: Location | None
) -> list[MeasuredNetwork]:
    groups = sorted({case.precision.group for case in cases})
    if precision is None:
        return list(cases)
    if precision not in groups:
        raise ConfigError(
            f"no measurement is of precision {precision!r}; there are {', '.join(groups)}",
            where=where,
        )
    return [case for case in cases if case.precision.group == precision]
