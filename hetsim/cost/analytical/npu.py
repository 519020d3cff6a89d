"""NPUs: a matrix array fed by DMA through on-chip buffers, and a vector unit for the rest.

A kernel becomes tiles (:mod:`hetsim.cost.analytical.tiling`), and tiles become time
(:mod:`hetsim.cost.analytical.pipeline`).
"""

from __future__ import annotations

import math

from hetsim.cost.analytical.cutting import Buffers, Demand
from hetsim.cost.analytical.pipeline import Engine, pipeline
from hetsim.cost.analytical.quickest import Asked, quickest, streamed
from hetsim.cost.analytical.sharing import Split, split
from hetsim.cost.analytical.tiling import Tiling, fewest_cycles, tile
from hetsim.cost.analytical.traffic import tensor_bytes, total_bytes, weight_bytes
from hetsim.cost.analytical.weights import (
    element_bytes,
    most_speedup,
    sparse_name,
    speedup,
    unpack_cycles,
)
from hetsim.cost.pu import PUModel, Roof
from hetsim.cost.reach import Reach
from hetsim.cost.work import Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.npu import BufferSizes, NPUSpec
from hetsim.workload.graph import DTYPE_BYTES, Graph, LoopNest, Operator

PIPELINE_TILES = 8
"""Into how many pieces element-wise work is cut when one would fit: enough to overlap transfers."""


class NPUModel(PUModel[NPUSpec]):
    """A kernel with a loop nest at its head goes to the array, any other to the vector unit."""

    calibration = "hetsim.calibrate.npu:NPUTarget"

    def work(self, graph: Graph, kernel: Kernel, residency: Residency) -> Work:
        spec, pu = self.spec, self.pu
        here, kept = residency.inputs, residency.outputs
        reads = {t: 0 if t in here else tensor_bytes(graph, t, pu) for t in kernel.inputs}
        writes = total_bytes(graph, (t for t in kernel.outputs if t not in kept), pu)
        try:
            if kernel.nest is not None:
                shares = split(kernel.nest, spec.array, pu.cores)
                demand = self._demand(kernel, kernel.nest, reads, writes, shares)
                tiling = tile(shares.nest, spec.array, self._buffers(residency), demand)
                cores = shares.cores
            else:
                cores = pu.cores
                tiling = self._vector(kernel, residency, sum(reads.values()), writes)
        except InfeasibleError as error:
            reason = f"{kernel.name} cannot run on {pu.name}: {error.message}"
            raise InfeasibleError(reason) from None
        cut = pipeline(tiling, Engine(pu.home, spec.dma.setup, spec.double_buffer))
        return Work(
            self._launch(cores),
            tiling.compute_s,
            cut.phases,
            cut.tiles,
            overlapped=spec.double_buffer,
            weight_bytes=tiling.weight_load,
            first_weights=cut.first_weights,
            free_weights=tiling.free_weights,
            on_chip_bytes=residency.reserved_bytes + tiling.held_bytes,
            note=_note(tiling, cores),
        )

    def floor(self, op: Operator) -> float:
        """Nothing is cut into tiles: cutting only adds to it."""
        if op.nest is None:
            return (op.element_ops + op.macs) / self._vector_rate
        shares = split(op.nest, self.spec.array, self.pu.cores)
        cycles = fewest_cycles(shares.nest, self.spec.array)
        rate = self._array_rate(op)
        unpack = self._unpack_s(op) / self.pu.cores
        return max(cycles / rate, op.element_ops / self._vector_rate, unpack)

    def quickest(
        self, graph: Graph, kernel: Kernel, residency: Residency, reach: Reach
    ) -> float | None:
        """Of every cut that fits the least it can take, for the tiler may choose any of them."""
        spec, pu = self.spec, self.pu
        reads = {
            t: 0 if t in residency.inputs else tensor_bytes(graph, t, pu) for t in kernel.inputs
        }
        writes = total_bytes(graph, (t for t in kernel.outputs if t not in residency.outputs), pu)
        asked = Asked(reach, spec.dma.setup, spec.double_buffer, spec.prefetch)
        if kernel.nest is None:
            loads = sum(reads.values()) + weight_bytes(kernel, pu)
            compute = (kernel.element_ops + kernel.macs) / self._vector_rate
            return self._launch(pu.cores) + streamed(loads, writes, compute, asked)
        shares = split(kernel.nest, spec.array, pu.cores)
        demand = self._demand(kernel, kernel.nest, reads, writes, shares)
        buffers = self._buffers(residency)
        seconds = quickest(shares.nest, spec.array, buffers, demand, asked)
        return self._launch(shares.cores) + seconds

    def least(self, nest: LoopNest, dtype: str) -> float:
        share = self.spec.dtypes.get(self.pu.stored_dtype(dtype))
        peak = (share or 0.0) * self.top_clock * most_speedup(self.spec)
        array, cores = self.spec.array, self.pu.cores
        # Several cores may share it in ways that are not modelled.
        shared = nest.macs / (array.macs_per_cycle * cores)
        cycles = fewest_cycles(nest, array) if cores == 1 else shared
        return cycles / peak if peak else 0.0

    def _launch(self, cores: int) -> float:
        """Seconds before anything moves; the meeting of the cores at the end is counted in."""
        return self.spec.dispatch + (self.spec.core_sync if cores > 1 else 0.0)

    def roof(self, kernel: Kernel) -> Roof:
        """The array's for what has a loop nest, else that of the vector unit, products included."""
        spec = self.spec
        if kernel.nest is None:
            amount = kernel.element_ops + kernel.macs
            return Roof(amount, self._vector_rate, "vector operations")
        dtype, faster = self.pu.stored_dtype(kernel.head.dtype), speedup(kernel.head, spec)
        share = spec.dtypes.get(dtype, math.inf) * faster
        rate = self.pu.cores * spec.array.macs_per_cycle * share * spec.point.clock
        return Roof(kernel.head.macs, rate, f"{sparse_name(dtype, kernel.head, faster)} MAC")

    @property
    def _vector_rate(self) -> float:
        """Element-wise operations per second of all cores."""
        return self.pu.cores * self.spec.vector_lanes * self.spec.point.clock

    def _array_rate(self, op: Operator) -> float:
        """Useful array cycles per second of ``op``, zeros that are skipped counted in."""
        spec = self.spec
        share = spec.dtypes[self.pu.stored_dtype(op.dtype)] * spec.array_efficiency
        return share * speedup(op, spec) * spec.point.clock

    def _unpack_s(self, op: Operator) -> float:
        """Seconds in which one core's decoder widens all weights, beside the array."""
        return unpack_cycles(op, self.pu, self.spec) / self.spec.point.clock

    def _demand(
        self, kernel: Kernel, nest: LoopNest, reads: dict[str, int], writes: int, shares: Split
    ) -> Demand:
        spec, pu, op = self.spec, self.pu, kernel.head
        weights = weight_bytes(kernel, pu)
        data = reads[op.inputs[0]]
        operands = [t for t in op.inputs[1:2] if nest.weights_are_activations]
        weight_like = weights + sum(reads[t] for t in operands if t != op.inputs[0])
        dtype = pu.stored_dtype(op.dtype)
        element = DTYPE_BYTES[dtype]
        return Demand(
            input_bytes=shares.input_bytes(data),
            weight_bytes=weight_like,
            output_bytes=writes,
            extra_bytes=sum(reads.values()) - data - (weight_like - weights),
            input_element=element,
            weight_element=element_bytes(op, pu),
            output_element=element,
            cycle_s=1.0 / self._array_rate(op),
            vector_s=max(
                kernel.element_ops * shares.outputs / (spec.vector_lanes * spec.point.clock),
                self._unpack_s(op) * shares.weights,
            ),
            dma_rate=pu.bandwidth,
            dma_setup=spec.dma.setup + pu.latency,
            double_buffer=spec.double_buffer,
            cores=shares.cores,
        )

    def _vector(self, kernel: Kernel, residency: Residency, reads: int, writes: int) -> Tiling:
        """Element-wise work: every byte once, cut so that transfers overlap."""
        buffers = self._buffers(residency)
        room = self.pu.cores * (
            buffers.unified
            if buffers.unified is not None
            else min(buffers.input + buffers.weight, buffers.accumulator)
        )
        depth = 2 if self.spec.double_buffer else 1
        if room < 2 * depth:
            raise InfeasibleError("no on-chip buffer is left for its elements")
        loads = reads + weight_bytes(kernel, self.pu)
        pieces = max(math.ceil((loads + writes) * depth / room), PIPELINE_TILES)
        # Products without a loop nest (fused attention) cannot be mapped on the array.
        compute = (kernel.element_ops + kernel.macs) / self._vector_rate
        held = math.ceil((loads + writes) * depth / pieces)
        return Tiling(1, pieces, 1, 1, "", loads, 0, 0, writes, compute, held_bytes=held)

    def _buffers(self, residency: Residency) -> Buffers:
        sram = self.spec.sram
        if isinstance(sram, BufferSizes):
            return Buffers(sram.input, sram.weight, sram.accumulator)
        return Buffers(0, 0, 0, unified=sram - residency.reserved_bytes / self.pu.cores)


def _note(tiling: Tiling, cores: int) -> str:
    words = [f"{tiling.tiles} tiles"]
    if cores > 1:
        words.append(f"on each of {cores} cores")
    if tiling.stay:
        words.append(f"{tiling.stay} stay")
    if tiling.folds:
        words.append(f"{tiling.folds} folds")
    return ", ".join(words)
