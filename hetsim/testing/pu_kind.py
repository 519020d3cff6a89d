"""What every kind of processing unit owes: a checked description, sound costs, runs in simulation.

The unit stands on a small SoC beside a CPU, as ``unit``. Its costs are asked as those of any cost
model (:class:`~hetsim.testing.cost_model.CostModelKit`, all of whose checks hold here).
"""

from __future__ import annotations

import json
import math
import pickle
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.cost.pu import model_of
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel
from hetsim.errors import ConfigError, Location
from hetsim.overrides import Override, apply_overrides
from hetsim.plan.build import Block, make_plan, merge_eager
from hetsim.runs.case import Case
from hetsim.soc.kinds import kinds
from hetsim.soc.loader import build_soc, soc_json_schema
from hetsim.soc.model import SoC
from hetsim.testing.cost_model import CostModelKit
from hetsim.workload.graph import Graph
from hetsim.yamlio import Document, parse_yaml

JUNK: Sequence[object] = (
    None, True, 0, -1, 10**400, float("nan"), "", "x", "1 GB/s", [], [None], {}, {"x": 1}, [[1]],
)  # fmt: skip
"""Values that hardly any field can mean."""

SOC: Mapping[str, Any] = {
    "hetsim": "soc/1",
    "name": "kit",
    "memory": {"dram": {"bandwidth": "8 GB/s", "latency": "100 ns", "capacity": "4 GiB"}},
    "pus": {
        "cpu": {
            "kind": "cpu_cluster",
            "cores": 2,
            "path": ["dram"],
            "operating_points": {"on": {"clock": "1 GHz"}},
            "macs_per_cycle": {"float32": 4, "int8": 8},
            "element_ops_per_cycle": {"float32": 4, "int8": 8},
            "efficiency": {"default": 0.5},
        }
    },
    "runtime": {"host": "cpu"},
}
"""Where the unit stands."""


class PUKindKit(CostModelKit):
    """Checks one kind: set ``kind``, and override :meth:`entry`.

    ``moves`` names fields and other values for them, each of which must change how long something
    takes: dotted as in ``--set``, without the unit (``{"lanes": 16, "dma.setup": "1 us"}``).
    """

    kind: ClassVar[str]
    moves: ClassVar[Mapping[str, object]] = {}

    @abstractmethod
    def entry(self) -> dict[str, Any]:
        """What a SoC file says of such a unit, beside ``kind``, ``path`` and one clock of 1 GHz."""

    def document(self) -> Document:
        """The SoC file."""
        unit = {
            "kind": self.kind, "path": ["dram"],
            "operating_points": {"on": {"clock": "1 GHz"}}, **self.entry(),
        }  # fmt: skip
        pus = {**SOC["pus"], "unit": unit}
        # JSON is YAML, and a parsed file knows where everything stands.
        return parse_yaml(json.dumps({**SOC, "pus": pus}, indent=1), "kit.yaml")

    def soc(self, changes: Mapping[str, object] | None = None) -> SoC:
        """The SoC, with fields of the unit changed."""
        named = {f"pus.unit.{path}": value for path, value in (changes or {}).items()}
        return build_soc(apply_overrides(self.document(), named))

    def soc_files(self) -> list[SoC]:
        return [self.soc()]

    def make(self, soc: SoC, graphs: Sequence[Graph]) -> CostModel:
        return AnalyticalModel()

    def test_it_is_known_by_its_kind(self) -> None:
        assert self.kind in kinds(), f"no package registers the kind {self.kind!r}"
        spec = self.soc().by_name["unit"].spec
        assert type(spec) is kinds()[self.kind], f"{self.kind} became a {type(spec).__name__}"
        assert spec.kind == self.kind, f"its kind says {spec.kind!r}"
        assert (type(spec).__doc__ or "").strip(), "its schema says nothing about it"
        told = "the JSON schema of SoC files does not know it"
        assert self.kind in json.dumps(soc_json_schema()), told

    def test_it_survives_pickling(self) -> None:
        soc = self.soc()
        assert pickle.loads(pickle.dumps(soc)) == soc, "it changes on the way to a worker"

    def test_an_unknown_field_is_a_located_error(self) -> None:
        try:
            self.soc({"no_such_field": 1})
        except ConfigError as error:
            assert error.where is not None, f"where? {error}"  # noqa: PT017
            return
        raise AssertionError("a field that nobody knows was taken")

    def test_junk_in_any_field_is_a_located_error_or_harmless(self) -> None:
        document = self.document()
        for path in document.values:
            if path[:2] != ("pus", "unit") or len(path) < 3 or any("." in str(k) for k in path):
                continue
            dotted = ".".join(map(str, path))
            for junk in JUNK:
                try:
                    junk_there = Override(junk, Location("junk.yaml", 1, 1))
                    build_soc(apply_overrides(document, {dotted: junk_there}))
                except ConfigError as error:
                    told = f"{dotted} = {junk!r:.40}: where? {error}"
                    assert error.where is not None, told  # noqa: PT017

    def test_its_peak_is_above_what_it_reaches(self) -> None:
        unit = self.soc().by_name["unit"]
        model = model_of(unit)
        for graph in self.graphs():
            for op in graph.operators:
                if op.nest is None or why_not(unit, Kernel.of(graph, (op,))) is not None:
                    continue
                least, floor = model.least(op.nest, op.dtype), model.floor(op)
                assert 0 <= least <= floor * (1 + 1e-9), (
                    f"{op.name} of {graph.name}: {floor} s are faster than the peak, {least} s"
                )

    def test_no_kernel_passes_its_roof(self) -> None:
        unit = self.soc().by_name["unit"]
        model = model_of(unit)
        for graph in self.graphs():
            for op in graph.operators:
                kernel = Kernel.of(graph, (op,))
                if why_not(unit, kernel) is not None:
                    continue
                roof = model.roof(kernel)
                takes = model.work(graph, kernel, NOWHERE).compute_s
                assert roof.operations / roof.per_second <= takes * (1 + 1e-9), (
                    f"{op.name} of {graph.name}: {roof.operations} {roof.name} in {takes} s pass"
                    f" the roof of {roof.per_second} a second"
                )

    def test_it_runs_alone_within_its_bounds(self) -> None:
        for graph in self.graphs():
            for fidelity in ("fluid", "tile"):
                case = Case(graph, self.soc(), fidelity=fidelity)
                run = case.evaluate("kit", _mostly_on("unit", case))
                told = f"{graph.name} at {fidelity} fidelity"
                assert run.error is None, f"{told}: {run.error}"
                assert run.makespan_s is not None, f"{told}: no makespan and no error"
                assert 0 < run.makespan_s < math.inf, f"{told}: it takes {run.makespan_s} s"
                for bound in run.bounds:
                    assert run.makespan_s >= bound.seconds * (1 - 1e-9), (
                        f"{told}: {run.makespan_s} s are less than the bound {bound.argument}"
                    )
                used = [p for p in run.plan.partitions if p.pu == "unit"] if run.plan else []
                assert used, f"{told}: it can run nothing of it"

    def test_a_faster_clock_slows_nothing(self) -> None:
        for graph in self.graphs():
            slow, fast = (
                Case(graph, self.soc({"operating_points": {"on": {"clock": clock}}}))
                for clock in ("1 GHz", "2 GHz")
            )
            plan = _mostly_on("unit", slow)
            before, after = slow.simulate(plan).makespan_s, fast.simulate(plan).makespan_s
            told = f"{graph.name}: {before} s at 1 GHz, {after} s at 2 GHz"
            assert after <= before * (1 + 1e-9), told

    def test_what_moves_moves(self) -> None:
        before = self._times({})
        for path, value in self.moves.items():
            after = self._times({path: value})
            assert after != before, f"{path} = {value!r} changes nothing"

    def _times(self, changes: Mapping[str, object]) -> list[float]:
        times = []
        for graph in self.graphs():
            case = Case(graph, self.soc(changes))
            times.append(case.simulate(_mostly_on("unit", case)).makespan_s)
        return times


def _mostly_on(pu: str, case: Case) -> Any:
    """A plan with everything on ``pu`` that it can run alone, and the rest on the host."""
    profile = case.problem().profile
    there, host = case.soc.by_name[pu].index, case.soc.host.index
    pus = [there if profile.time(op, there) < INFEASIBLE else host for op in range(len(case.graph))]
    units = [(op,) for op in range(len(case.graph))]
    blocks: list[Block] = list(merge_eager(case.graph, units, pus))
    return make_plan(case.graph, case.soc, blocks, scheduler="kit")
