"""Streams of networks of element-wise operators, whose times are known by hand."""

from __future__ import annotations

from typing import Any

from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.serving.serve import serve
from hetsim.sim.serving.served import Served
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.registry import arrival_kinds
from hetsim.streams.service import Stream
from tests.sim.samples import FAST, MS, lower, make_graph, make_soc

SOC = make_soc(memory=FAST)


def chain(*ms: float, soc: SoC = SOC, unit: str = "cpu") -> Program:
    """Partitions one after the other on one unit, of so many milliseconds each."""
    names = [f"op{i}" for i in range(len(ms))]
    rows = [(name, [names[i - 1] if i else "x"], ms[i]) for i, name in enumerate(names)]
    return lower(make_graph(*rows), soc, [(unit, name) for name in names])


def arrivals(kind: str, **fields: Any) -> Arrivals:
    return arrival_kinds()[kind].model_validate({"kind": kind, **fields})


def stream(name: str, kind: str, /, **fields: Any) -> Stream:
    """``period="2 ms"`` and the like go to the arrivals, the stream's own fields to the stream."""
    own = {key: fields.pop(key) for key in list(fields) if key in Stream.__dataclass_fields__}
    return Stream(name, "network", arrivals(kind, **fields), **own)


def served(
    *streams: Stream, programs: dict[str, Program], soc: SoC = SOC,
    dispatcher: Dispatcher | None = None, **options: Any,
) -> Served:  # fmt: skip
    return serve(soc, streams, programs, dispatcher=dispatcher, **options)


def rows(found: Served, name: str) -> list[tuple[float, float, float, int]]:
    """(arrival, start, finish, status) in ms, by arrival."""
    ledger = found.ledgers[name]
    columns = (ledger.arrival, ledger.start, ledger.finish)
    times = zip(*((column / MS).round(6).tolist() for column in columns), strict=True)
    return sorted((*t, status) for t, status in zip(times, ledger.status.tolist(), strict=True))
