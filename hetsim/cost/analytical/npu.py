"""NPUs: a matrix array fed by DMA through on-chip buffers, and a vector unit for the rest.

A kernel becomes tiles (:mod:`hetsim.cost.analytical.tiling`); loading the next tile, computing this
one and storing the last one overlap. As a fluid that is: load the first tile, stream the middle
(one flow whose cap is what DMA and array could do), compute the last tile while its predecessor is
stored, store the last.
"""

from __future__ import annotations

import math
from typing import cast

from hetsim.cost.analytical.tiling import Buffers, Demand, Tiling, tile, uncut_cycles
from hetsim.cost.analytical.traffic import tensor_bytes, total_bytes, weight_bytes
from hetsim.cost.work import Kernel, Phase, Residency, Work
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
            tiling = _vector(kernel, spec, residency, sum(reads.values()) + weights, writes)
    except InfeasibleError as error:
        raise InfeasibleError(f"{kernel.name} cannot run on {pu.name}: {error.message}") from None
    return Work(
        spec.dispatch,
        tiling.compute_s,
        _phases(tiling, spec),
        weight_bytes=math.ceil(weights * tiling.weight_reads),
        note=f"{tiling.tiles} tiles, {tiling.stay} stay",
    )


def npu_floor(op: Operator, pu: PU) -> float:
    """Arithmetic time of ``op`` with nothing cut into tiles, seconds: cutting only adds to it."""
    spec = cast(NPUSpec, pu.spec)
    vector_s = op.element_ops / (spec.vector_lanes * spec.point.clock)
    if op.nest is None:
        return vector_s
    rate = spec.dtypes[pu.stored_dtype(op.dtype)] * spec.array_efficiency * spec.point.clock
    return max(uncut_cycles(op.nest, spec.array) / rate, vector_s)


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
        dma_rate=spec.dma.engines * spec.dma.bandwidth,
        dma_setup=spec.dma.setup,
        double_buffer=spec.double_buffer,
    )
    return tile(nest, spec.array, _buffers(spec, residency), demand)


def _buffers(spec: NPUSpec, residency: Residency) -> Buffers:
    if isinstance(spec.sram, BufferSizes):
        return Buffers(spec.sram.input, spec.sram.weight, spec.sram.accumulator)
    return Buffers(0, 0, 0, unified=spec.sram - residency.reserved_bytes)


def _vector(kernel: Kernel, spec: NPUSpec, residency: Residency, loads: int, stores: int) -> Tiling:
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
    pieces = max(math.ceil((loads + stores) * depth / room), PIPELINE_TILES, 1)
    compute = kernel.element_ops / (spec.vector_lanes * spec.point.clock)
    return Tiling(
        1, pieces, 1, 1, "nothing", 1.0, 1.0, loads, stores, math.ceil(loads / pieces), compute
    )


def _phases(tiling: Tiling, spec: NPUSpec) -> tuple[Phase, ...]:
    """The tiles as a fluid (see the module's text)."""
    rate, setup = spec.dma.engines * spec.dma.bandwidth, spec.dma.setup
    tiles, compute = tiling.tiles, tiling.compute_s
    loads, stores = tiling.load_bytes, tiling.store_bytes
    outputs = tiling.groups * tiling.pixels * tiling.filters
    if not spec.double_buffer:
        return _kept(
            Phase("load", loads / rate + setup * tiles, loads, 0),
            Phase("stream", compute, 0, 0, compute),
            Phase("store", stores / rate + setup * outputs, 0, stores),
        )
    last = math.ceil(stores / outputs)
    before = min(last, stores - last)
    middle_load = loads - tiling.first_load
    middle_store = stores - last - before
    busy = compute * (tiles - 1) / tiles
    moving = (middle_load + middle_store) / rate + setup * max(tiles + outputs - 3, 0)
    return _kept(
        Phase("load", tiling.first_load / rate + setup, tiling.first_load, 0),
        Phase("stream", max(busy, moving), middle_load, middle_store, busy),
        Phase("stream", compute / tiles, 0, before, compute / tiles),
        Phase("store", last / rate + setup, 0, last),
    )


def _kept(*phases: Phase) -> tuple[Phase, ...]:
    """Without those in which nothing happens."""
    return tuple(p for p in phases if p.bytes or p.compute_s)
