"""Vector DSPs: products in tiles of vector registers that threads take in turn."""

from __future__ import annotations

import math

from hetsim.cost.analytical.cutting import ACCUMULATOR_BYTES
from hetsim.cost.analytical.roofline import efficiency, element_rate, fewest_products
from hetsim.cost.analytical.streamed import Peak, StreamedModel
from hetsim.cost.analytical.weights import most_speedup, sparse_name, speedup, unpack_cycles
from hetsim.cost.reach import Reach
from hetsim.cost.work import Kernel, Residency
from hetsim.forms.workgroups import Cores, Tile, product_cycles, product_of, rounds
from hetsim.soc.dsp import DSPSpec
from hetsim.workload.graph import DTYPE_BYTES, Graph, LoopNest, Operator


class DSPModel(StreamedModel[DSPSpec]):
    """Channels lie across the lanes; a lane sums in 32 bits, as many narrow products as fill it."""

    @property
    def cycles_per_s(self) -> float:
        """Its clock."""
        return self.spec.point.clock

    def cycles(self, op: Operator) -> float:
        """Products tile by tile, then other operations, vector by vector."""
        spec, dtype = self.spec, self.pu.stored_dtype(op.dtype)
        share, width = efficiency(spec.efficiency, op), DTYPE_BYTES[dtype]
        rate = element_rate(spec.element_ops_per_cycle, dtype) * share
        elements = max(1, int(spec.vector / width))
        vectors = rounds(math.ceil(op.element_ops / elements), spec.threads, 1)
        cycles = vectors * elements / rate
        if op.nest is not None:
            peak = spec.macs_per_cycle[dtype] * share * speedup(op, spec)
            depth = max(1, int(ACCUMULATOR_BYTES / width))
            cycles += product_cycles(product_of(op.nest), self._cores(), peak, width, depth)
            cycles += unpack_cycles(op, self.pu, spec) / spec.threads
        elif op.macs:  # products without loops (fused attention): no shape to lose anything to
            cycles += op.macs / (spec.macs_per_cycle[dtype] * share * spec.threads)
        return cycles

    def quickest(
        self, graph: Graph, kernel: Kernel, residency: Residency, reach: Reach
    ) -> float | None:
        """One phase, so it takes the longer of its two sides at the best."""
        work = self.work(graph, kernel, residency)
        moved = sum(phase.bytes for phase in work.phases)
        apart = reach.nearest if moved else 0.0
        return work.dispatch_s + apart + max(work.compute_s, moved / reach.widest)

    def least(self, nest: LoopNest, dtype: str) -> float:
        rate = self.spec.macs_per_cycle.get(self.pu.stored_dtype(dtype), 0.0)
        peak = rate * self.spec.threads * self.top_clock * most_speedup(self.spec)
        return fewest_products(nest) / peak if peak else 0.0

    def peak(self, op: Operator) -> Peak:
        """Of all threads."""
        spec, dtype = self.spec, self.pu.stored_dtype(op.dtype)
        clock = spec.threads * float(spec.point.clock)
        if op.macs:
            faster = speedup(op, spec)
            rate = spec.macs_per_cycle.get(dtype, math.inf) * faster
            return Peak(op.macs, rate * clock, sparse_name(dtype, op, faster))
        rate = element_rate(spec.element_ops_per_cycle, dtype)
        return Peak(op.element_ops, rate * clock, dtype)

    def _cores(self) -> Cores:
        """Every way to arrange the registers' sums as positions by vectors of channels."""
        spec = self.spec
        lanes = max(1, int(spec.vector / ACCUMULATOR_BYTES))
        shapes = (rows for rows in range(1, spec.sums + 1) if spec.sums % rows == 0)
        tiles = tuple(Tile(rows, spec.sums // rows * lanes, 1) for rows in shapes)
        return Cores(spec.threads, 1, spec.loads * spec.vector, tiles)
