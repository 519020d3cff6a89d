"""The simulated profile of a network as a table: single operators and fused groups on every PU."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hetsim.cost.fusion import is_fusable, match
from hetsim.cost.measured.files import dump_profile, microseconds
from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.cost.work import Kernel
from hetsim.errors import InfeasibleError
from hetsim.lower.lowering import Lowering
from hetsim.runs.profile.simulated import SimulatedProfile
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, Operator


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """An operator or fused group alone as a partition on one PU.

    ``seconds`` hold the call, the crossings and the kernel, ``kernel_s`` only the kernel, both
    infinite where the PU cannot run it (``reason``). ``transfer_s`` is no part of them: what the
    host takes to copy the inputs of the first operator, whatever the PU (T(n)).
    """

    pu: str
    operators: tuple[Operator, ...]
    key: str
    seconds: float
    kernel_s: float
    transfer_s: float
    source: str
    reason: str = ""

    @property
    def name(self) -> str:
        """The operators' names joined by ``+``."""
        return "+".join(op.name for op in self.operators)


def profile_rows(lowering: Lowering) -> list[ProfileRow]:
    """The profile of a network: operators in graph order, each followed by the groups it heads.

    Of PUs that are alike (workers of one cluster, copies of one NPU) every one has its rows.
    """
    profile = SimulatedProfile(lowering)
    rows = []
    for pu in lowering.soc.pus:
        for i in range(len(lowering.graph)):
            rows.append(_row(lowering, profile, (i,), pu))
            rows += [_row(lowering, profile, chain, pu) for chain in chains(lowering.graph, i, pu)]
    return rows


def chains(graph: Graph, start: int, pu: PU) -> list[tuple[int, ...]]:
    """Every chain of two or more operators from ``start`` that ``pu`` can fuse, shortest first."""
    found = []
    patterns = pu.spec.fuse_patterns
    for pattern in sorted(patterns, key=lambda p: (len(p), p)):
        chain = match(graph, start, [pattern])
        if len(chain) == len(pattern) and is_fusable(graph, chain, patterns):
            found.append(chain)
    return found


def _row(lowering: Lowering, profile: SimulatedProfile, ops: tuple[int, ...], pu: PU) -> ProfileRow:
    graph = lowering.graph
    operators = tuple(graph.operators[i] for i in ops)
    alone = len(ops) == 1
    seconds = profile.time(ops[0], pu.index) if alone else profile.group_time(ops, pu.index)
    source, reason = "", ""
    try:
        work = lowering.costs.work(graph, Kernel.of(graph, operators), pu)
        source = work.source if work is not None else ""
    except InfeasibleError as error:
        reason = error.message
    kernel = profile.chain_time(ops, pu.index) if math.isfinite(seconds) else math.inf
    key = group_key(graph, operators)
    transfer = profile.copy(ops[0])
    return ProfileRow(pu.name, operators, key, seconds, kernel, transfer, source, reason)


COLUMNS = (
    "model", "pu", "operators", "kinds", "key", "scope", "time_us", "kernel_us", "transfer_us",
    "macs", "weights", "source", "reason",
)  # fmt: skip
"""Columns of ``profile.csv``. ``time_us`` is the whole partition's, ``kernel_us`` the kernel's."""


def profile_csv(model: str, rows: Iterable[ProfileRow]) -> str:
    """The table as CSV, which ``hetsim profile --import csv`` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            [
                model, row.pu, row.name, "+".join(op.kind for op in row.operators), row.key,
                "partition", microseconds(row.seconds), microseconds(row.kernel_s),
                microseconds(row.transfer_s), sum(op.macs for op in row.operators),
                sum(op.weight_elements for op in row.operators), row.source, row.reason,
            ]
        )  # fmt: skip
    return text.getvalue()


def profile_yaml(model: str, soc: str, pu: str, rows: Sequence[ProfileRow]) -> str:
    """The rows of one PU as a profile file of hetsim."""
    table = ProfileTable.of(
        [
            Entry(r.key, r.seconds, None, 1, (f"{model}:{r.name}",), None, r.transfer_s)
            for r in rows
            if r.pu == pu
        ],
        name=f"{soc}-{pu}",
        device=f"{pu} of {soc}",
        source=f"simulated by hetsim: {model}",
        scope="partition",
    )
    return dump_profile(table)
