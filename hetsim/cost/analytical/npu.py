"""NPUs: a matrix array fed by DMA through on-chip buffers, and a vector unit for the rest.

A kernel becomes tiles (:mod:`hetsim.cost.analytical.tiling`), and tiles become time
(:mod:`hetsim.cost.analytical.pipeline`).
"""

from __future__ import annotations

import math
from typing import cast

from hetsim.cost.analytical.pipeline import Engine, pipeline
from hetsim.cost.analytical.tiling import Buffers, Demand, Tiling, fewest_cycles, tile
from hetsim.cost.analytical.traffic import tensor_bytes, total_bytes, weight_bytes
from hetsim.cost.work import Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.soc.npu import BufferSizes, NPUSpec
from hetsim.workload.graph import DTYPE_BYTES, Graph, Operator

PIPELINE_TILES = 8
"""Into how many pieces element-wise work is cut when one would fit: enough to overlap transfers."""


def npu_work(graph: Graph, kernel: Kernel, pu: PU, residency: Residency) -> Work:
    """A kernel on an NPU. Raises ``InfeasibleError`` when its smallest tile does not fit."""
    spec = cast(NPUSpec, pu.spec)
    reads = {t: 0 if t in residency.inputs else tensor_bytes(graph, t, pu) for t in kernel.inputs}
    writes = total_bytes(graph, (t for t in kernel.outputs if t not in residency.outputs), pu)
    weights = weight_bytes(kernel, pu)
    try:
        if kernel.nest is not None:
            tiling = _matrix(kernel, pu, spec, residency, reads, writes, weights)
        else:
            tiling = _vector(kernel, spec, residency, sum(reads.values()), weights, writes)
    except InfeasibleError as error:
        raise InfeasibleError(f"{kernel.name} cannot run on {pu.name}: {error.message}") from None
    cut = pipeline(tiling, Engine(pu.bandwidth, spec.dma.setup, pu.latency, spec.double_buffer))
    return Work(
        spec.dispatch,
        tiling.compute_s,
        cut.phases,
        cut.tiles,
        overlapped=spec.double_buffer,
        weight_bytes=tiling.weight_load,
        first_weights=cut.first_weights,
        free_weights=tiling.free_weights,
        on_chip_bytes=residency.reserved_bytes + tiling.held_bytes,
        note=_note(tiling),
    )


def _note(tiling: Tiling) -> str:
    words = [f"{tiling.tiles} tiles"]
    if tiling.stay:
        words.append(f"{tiling.stay} stay")
    if tiling.folds:
        words.append(f"{tiling.folds} folds")
    return ", ".join(words)


def npu_floor(op: Operator, pu: PU) -> float:
    """Arithmetic time of ``op`` with nothing cut into tiles, seconds: cutting only adds to it."""
    spec = cast(NPUSpec, pu.spec)
    vector_rate = spec.vector_lanes * spec.point.clock
    if op.nest is None:
        return (op.element_ops + op.macs) / vector_rate
    vector_s = op.element_ops / vector_rate
    rate = spec.dtypes[pu.stored_dtype(op.dtype)] * spec.array_efficiency * spec.point.clock
    return max(fewest_cycles(op.nest, spec.array) / rate, vector_s)


def _matrix(
    kernel: Kernel,
    pu: PU,
    spec: NPUSpec,
    residency: Residency,
    reads: dict[str, int],
    writes: int,
    weights: int,
) -> Tiling:
    op, nest = kernel.head, kernel.nest
    assert nest is not None
    data = reads[op.inputs[0]]
    operands = [t for t in op.inputs[1:2] if nest.weights_are_activations]
    weight_like = weights + sum(reads[t] for t in operands if t != op.inputs[0])
    extra = sum(reads.values()) - data - (weight_like - weights)
    dtype = pu.stored_dtype(op.dtype)
    element = DTYPE_BYTES[dtype]
    weight_element = DTYPE_BYTES[pu.stored_dtype(op.weights[0][0])] if op.weights else element
    rate = spec.dtypes[dtype] * spec.array_efficiency * spec.point.clock
    vector_s = kernel.element_ops / (spec.vector_lanes * spec.point.clock)
    demand = Demand(
        input_bytes=data,
        weight_bytes=weight_like,
        output_bytes=writes,
        extra_bytes=extra,
        input_element=element,
        weight_element=weight_element,
        output_element=element,
        cycle_s=1.0 / rate,
        vector_s=vector_s,
        dma_rate=pu.bandwidth,
        dma_setup=spec.dma.setup + pu.latency,
        double_buffer=spec.double_buffer,
    )
    return tile(nest, spec.array, _buffers(spec, residency), demand)


def _buffers(spec: NPUSpec, residency: Residency) -> Buffers:
    if isinstance(spec.sram, BufferSizes):
        return Buffers(spec.sram.input, spec.sram.weight, spec.sram.accumulator)
    return Buffers(0, 0, 0, unified=spec.sram - residency.reserved_bytes)


def _vector(
    kernel: Kernel, spec: NPUSpec, residency: Residency, loads: int, weights: int, stores: int
) -> Tiling:
    """Element-wise work: every byte once, cut so that transfers overlap."""
    buffers = _buffers(spec, residency)
    room = (
        buffers.unified
        if buffers.unified is not None
        else min(buffers.input + buffers.weight, buffers.accumulator)
    )
    depth = 2 if spec.double_buffer else 1
    if room < 2 * depth:
        raise InfeasibleError("no on-chip buffer is left for its elements")
    pieces = max(math.ceil((loads + weights + stores) * depth / room), PIPELINE_TILES)
    # Products without a loop nest (fused attention) cannot be mapped on the array.
    operations = kernel.element_ops + kernel.macs
    compute = operations / (spec.vector_lanes * spec.point.clock)
    held = math.ceil((loads + weights + stores) * depth / pieces)
    return Tiling(1, pieces, 1, 1, "", loads + weights, 0, 0, stores, compute, held_bytes=held)
