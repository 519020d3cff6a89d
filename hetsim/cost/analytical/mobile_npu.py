"""NPUs of phones: products of padded channels, passes of a vector unit, bytes beside both."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hetsim.cost.analytical.roofline import fewest_products
from hetsim.cost.analytical.traffic import stored_elements, total_bytes, weight_bytes
from hetsim.cost.pu import PUModel, Roof
from hetsim.cost.reach import Reach
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.soc.mobile_npu import ATTENTION, VOLUME, MobileNPUSpec, ReachedSpec, first
from hetsim.workload.graph import DTYPE_BYTES, Graph, LoopNest, Operator

Names = tuple[str, ...]
"""Where a share or a number of passes may stand, most specific first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a kernel asks of the arithmetic.

    ``products`` of each operator that has some and the names of the share at which they are made;
    ``elements`` and the names of their passes; ``tail`` elements of what is fused behind;
    ``outputs`` elements that products end in.
    """

    products: tuple[tuple[float, Names], ...] = ()
    elements: float = 0.0
    passes: Names = ()
    tail: float = 0.0
    outputs: float = 0.0


class MobileNPUModel(PUModel[MobileNPUSpec]):
    """A kernel is one phase: the longer of its arithmetic and of its bytes.

    Of a fused chain the head's products or passes count, and a cheaper pass for each that follows.
    """

    networks = "hetsim.calibrate.networks.simulated:SimulatedModel"

    def asked(self, graph: Graph, kernel: Kernel) -> Asked:
        """What ``kernel`` asks of the arithmetic; how long that takes is what is fitted."""
        head, tails = kernel.head, kernel.operators[1:]
        products = tuple((self.padded(op), share_of(op)) for op in kernel.operators if op.macs)
        tail = sum(self._elements(graph, op.outputs) for op in tails)
        if head.macs:
            return Asked(products, tail=tail, outputs=self._elements(graph, head.outputs))
        elements = self._elements(graph, head.outputs)
        if head.element_ops:  # who computes reads all of it, who moves only what it writes
            elements = max(elements, *(self._elements(graph, (t,)) for t in head.inputs), 0)
        return Asked(products, elements, head.kind_path, tail)

    def padded(self, op: Operator) -> float:
        """Products of ``op`` with its channels filled up to blocks."""
        nest, block = op.nest, self.spec.block
        if nest is None:
            return op.macs
        rows, taps = nest.batch * nest.out_h * nest.out_w, nest.k_h * nest.k_w
        if nest.groups > 1 and nest.in_c == 1 and op.kind == "Conv":
            return rows * taps * _filled(nest.groups * nest.out_c, block)
        if nest.groups > 1 and op.kind == "Conv":
            return rows * taps * nest.groups * nest.out_c * max(nest.in_c, block)
        if (
            op.variant == "stem" and self.spec.few_channels == "packed"
        ):  # taps lie beside the few channels
            return rows * _filled(nest.in_c * taps, block) * _filled(nest.out_c, block)
        channels = _filled(nest.in_c, block) * _filled(nest.out_c, block)
        return nest.groups * rows * taps * channels

    def reached(self, dtype: str) -> ReachedSpec:
        """What it reaches in tensors of the network's ``dtype``.

        Of a type that is not listed, what it does in a listed one as wide, else in the slowest.
        """
        dtypes, stored = self.spec.dtypes, self.pu.stored_dtype(dtype)
        if stored in dtypes:
            return dtypes[stored]
        alike = [r for name, r in dtypes.items() if DTYPE_BYTES[name] == DTYPE_BYTES[stored]]
        return min(alike or dtypes.values(), key=lambda reached: reached.elements_per_cycle)

    def work(self, graph: Graph, kernel: Kernel, residency: Residency) -> Work:
        reached = self.reached(kernel.head.dtype)
        compute = self._cycles(self.asked(graph, kernel), reached) / self.spec.point.clock
        weights = weight_bytes(kernel, self.pu)
        reads = (t for t in kernel.inputs if t not in residency.inputs)
        writes = (t for t in kernel.outputs if t not in residency.outputs)
        load = total_bytes(graph, reads, self.pu) + weights
        store = total_bytes(graph, writes, self.pu)
        seconds = max(compute, (load + store) / reached.bandwidth)
        phase = Phase("run", seconds, load, store, compute)
        return Work(
            self.spec.dispatch + reached.kernel,
            compute,
            (phase,),
            weight_bytes=weights,
            on_chip_bytes=residency.reserved_bytes,
        )

    def floor(self, op: Operator) -> float:
        """Its products; all else may be fused, at the cost of a tail."""
        if not op.macs:
            return 0.0
        asked = Asked(((self.padded(op), share_of(op)),))
        return self._cycles(asked, self.reached(op.dtype)) / self.spec.point.clock

    def quickest(
        self, graph: Graph, kernel: Kernel, residency: Residency, reach: Reach
    ) -> float | None:
        """One phase, so it takes the longer of its two sides at the best."""
        work = self.work(graph, kernel, residency)
        phase = work.phases[0]
        apart = reach.nearest if phase.bytes else 0.0
        return work.dispatch_s + apart + max(phase.seconds, phase.bytes / reach.widest)

    def least(self, nest: LoopNest, dtype: str) -> float:
        reached = self.spec.dtypes.get(self.pu.stored_dtype(dtype))
        if reached is None:
            return 0.0
        return fewest_products(nest) / (reached.macs_per_cycle * self.top_clock)

    def roof(self, kernel: Kernel) -> Roof:
        """The rate of products, or of elements in one pass."""
        reached, clock = self.reached(kernel.head.dtype), self.spec.point.clock
        name = self.pu.stored_dtype(kernel.head.dtype)
        if kernel.macs:
            return Roof(kernel.macs, reached.macs_per_cycle * clock, f"{name} MAC")
        return Roof(kernel.element_ops, math.inf, f"{name} element operations")

    def _cycles(self, asked: Asked, reached: ReachedSpec) -> float:
        cycles = 0.0
        for products, names in asked.products:
            cycles += products / (reached.macs_per_cycle * reached.share(names))
        if reached.outputs_per_cycle is not None:
            cycles = max(cycles, asked.outputs / reached.outputs_per_cycle)
        passed = asked.elements * first(reached.passes, asked.passes)
        return cycles + (passed + asked.tail * reached.tail) / reached.elements_per_cycle

    def _elements(self, graph: Graph, tensors: Names) -> int:
        return sum(stored_elements(graph, name, self.pu) for name in tensors)


def _filled(channels: int, block: int) -> int:
    return -(-channels // block) * block


def share_of(op: Operator) -> Names:
    """What the share of an operator's products is called, most specific first."""
    nest, window = op.nest, op.attributes.get("kernel_shape")
    if nest is None or nest.weights_are_activations:
        return (ATTENTION,)
    if isinstance(window, list | tuple) and len(window) == 3:
        return (VOLUME,)
    return op.kind_path
