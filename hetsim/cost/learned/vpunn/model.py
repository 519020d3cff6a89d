"""The cost model of a unit whose jobs a VPUNN file was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace

from hetsim.cost.analytical.pipeline import Engine, pipeline
from hetsim.cost.analytical.traffic import tensor_bytes, total_bytes, weight_bytes
from hetsim.cost.chain import CostModel
from hetsim.cost.learned.vpunn.candidates import candidates
from hetsim.cost.learned.vpunn.choosing import Asked, Choice, choose, fewest_cycles
from hetsim.cost.learned.vpunn.layers import Layer, layer_of
from hetsim.cost.learned.vpunn.transfers import Curve, LearnedEngine
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.learn.vpunn.judge import Judge
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, Operator

LEARNED = "learned"


class VPUNNCostModel(CostModel):
    """Knows what the array does, in the shapes it was trained on; the rest is passed on.

    What is fused behind a head costs nothing: the array's output stage does it. Arithmetic is that
    of the chosen jobs at the unit's clock; transfers take what ``curve`` says (if there is one) and
    what the unit's path gives, whichever is longer.
    """

    def __init__(self, jobs: Judge, curve: Curve | None, analytical: CostModel) -> None:
        self.jobs, self.curve, self.analytical = jobs, curve, analytical
        self.refused: Counter[str] = Counter()
        self.within: set[Hashable] = set()
        self._layers: dict[tuple[Hashable, ...], Layer | str | None] = {}

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        layer = self._layer(graph, kernel.head, pu)
        if not isinstance(layer, Layer):
            return None
        reason = why_not(pu, kernel)
        if reason is not None:
            raise InfeasibleError(f"{kernel.name} cannot run: {reason}")
        spec = pu.spec
        engine = self._engine(pu)
        try:
            choice = self._choice(graph, kernel, pu, residency, engine, layer)
        except InfeasibleError as error:
            raise InfeasibleError(
                f"{kernel.name} cannot run on {pu.name}: {error.message}"
            ) from None
        cut = pipeline(choice.tiling, engine)
        return Work(
            spec.dispatch + (spec.core_meeting if choice.tiles > 1 else 0.0),
            choice.tiling.compute_s,
            cut.phases,
            # Tiles are played at the rates of links; only the fluid knows times that were learned.
            () if self.curve else cut.tiles,
            overlapped=spec.overlaps_tiles,
            weight_bytes=choice.tiling.weight_load,
            first_weights=cut.first_weights,
            free_weights=choice.tiling.free_weights,
            on_chip_bytes=residency.reserved_bytes + choice.tiling.held_bytes,
            source=LEARNED,
            note=choice.note,
            clock_hz=float(spec.point.clock),
        )

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        operator = graph.operators[op]
        layer = self._layer(graph, operator, pu)
        if not isinstance(layer, Layer):
            return None
        least = self.analytical.floor(graph, op, pu)
        if least is None or any(operator.kind in chain[1:] for chain in pu.spec.fuse_patterns):
            return least
        cycles = fewest_cycles(layer, pu.cores, self.jobs)
        return cycles / pu.spec.point.clock + pu.spec.dispatch if least < float("inf") else least

    def notes(self) -> list[str]:
        """What was passed on for being out of range."""
        if not self.refused:
            return []
        said = "; ".join(f"{why} ({times})" for why, times in self.refused.most_common(3))
        return [
            f"{sum(self.refused.values())} of {sum(self.refused.values()) + len(self.within)}"
            f" distinct operators for the array are out of the range of {self.jobs.name!r}"
            f" and left to the analytical model: {said}"
        ]

    def _layer(self, graph: Graph, op: Operator, pu: PU) -> Layer | str | None:
        shapes = tuple(graph.tensors[name].shape for name in op.inputs) if op.nest is None else ()
        windows = tuple(
            str(op.attributes.get(name)) for name in ("kernel_shape", "strides", "dilations")
        )
        key = op.kind, op.nest, pu.stored_dtype(op.dtype), shapes, windows
        if key not in self._layers:
            answer = self._layers[key] = self._known(layer_of(graph, op, pu), pu)
            if isinstance(answer, str):
                self.refused[answer] += 1
            elif answer is not None:
                self.within.add(key)
        return self._layers[key]

    def _choice(
        self,
        graph: Graph,
        kernel: Kernel,
        pu: PU,
        residency: Residency,
        engine: Engine,
        layer: Layer,
    ) -> Choice:
        asked = self._asked(graph, kernel, pu, residency, engine)
        if residency != NOWHERE:
            # What stays on chip must not make the rest move more often.
            plain = self._choice(graph, kernel, pu, NOWHERE, engine, layer).tiling
            loads = plain.input_load + plain.weight_load + plain.extra_load
            asked = replace(asked, most=loads + plain.store_bytes)
        return choose(layer, pu.cores, self.jobs, asked)

    def _known(self, layer: Layer | str | None, pu: PU) -> Layer | str | None:
        if isinstance(layer, Layer) and not len(candidates(layer, pu.cores, self.jobs)):
            return "jobs that it was not trained on"
        return layer

    def _engine(self, pu: PU) -> Engine:
        setup, overlaps = pu.spec.transfer_setup, pu.spec.overlaps_tiles
        if self.curve is None:
            return Engine(pu.home, setup, overlaps)
        return LearnedEngine(pu.home, setup, overlaps, curve=self.curve)

    def _asked(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency, engine: Engine
    ) -> Asked:
        spec, head = pu.spec, kernel.head
        reads = {
            t: 0 if t in residency.inputs else tensor_bytes(graph, t, pu) for t in kernel.inputs
        }
        own = sum(reads[t] for t in dict.fromkeys(head.inputs))
        extra = sum(reads.values()) - own
        weights = weight_bytes(kernel, pu)
        computed = head.nest is not None and head.nest.weights_are_activations
        if computed and len(set(head.inputs)) > 1:
            second = reads[head.inputs[1]]
            own, weights = own - second, weights + second
        kept = residency.outputs
        return Asked(
            inputs=own,
            weights=weights,
            extra=extra,
            outputs=total_bytes(graph, (t for t in kernel.outputs if t not in kept), pu),
            room=(spec.on_chip_memory * pu.share - residency.reserved_bytes) / pu.cores,
            cycle_s=1.0 / spec.point.clock,
            engine=engine,
        )
