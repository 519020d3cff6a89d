"""CPU clusters and accelerators: arithmetic at a share of the peak, bytes over the path.

Williams, Waterman & Patterson, "Roofline" (CACM 52(4), 2009): the larger of the two times, except
that here the simulator finds the second one, because bandwidth is shared. A kernel is one phase:
a flow of all its bytes whose rate cap is bytes / compute time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from hetsim.cost.analytical.convolution import convolution_cycles
from hetsim.cost.analytical.traffic import total_bytes, weight_bytes
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.soc.model import PU
from hetsim.workload.graph import DTYPE_BYTES, Graph, Operator


def cpu_floor(op: Operator, pu: PU) -> float:
    """Arithmetic time of ``op`` on a worker, seconds."""
    spec = cast(CPUClusterSpec, pu.spec)
    return operator_cycles(op, pu, spec) / _cpu_rate(pu, spec)


def accelerator_floor(op: Operator, pu: PU) -> float:
    """Arithmetic time of ``op`` on an accelerator, seconds."""
    spec = cast(AcceleratorSpec, pu.spec)
    return operator_cycles(op, pu, spec) / spec.point.clock


def cpu_work(graph: Graph, kernel: Kernel, pu: PU, residency: Residency) -> Work:
    """A kernel on a worker of a CPU cluster; each further core adds ``parallel_efficiency``."""
    spec = cast(CPUClusterSpec, pu.spec)
    return _work(graph, kernel, pu, residency, spec, _cpu_rate(pu, spec))


def _cpu_rate(pu: PU, spec: CPUClusterSpec) -> float:
    """Core cycles per second of a worker."""
    return spec.point.clock * (1.0 + (pu.cores - 1) * spec.parallel_efficiency)


def accelerator_work(graph: Graph, kernel: Kernel, pu: PU, residency: Residency) -> Work:
    """A kernel on an accelerator."""
    spec = cast(AcceleratorSpec, pu.spec)
    return _work(graph, kernel, pu, residency, spec, spec.point.clock)


def _work(
    graph: Graph,
    kernel: Kernel,
    pu: PU,
    residency: Residency,
    spec: CPUClusterSpec | AcceleratorSpec,
    cycles_per_s: float,
) -> Work:
    compute = sum(operator_cycles(op, pu, spec) for op in kernel.operators) / cycles_per_s
    weights = weight_bytes(kernel, pu)
    reads = total_bytes(graph, (t for t in kernel.inputs if t not in residency.inputs), pu)
    writes = total_bytes(graph, (t for t in kernel.outputs if t not in residency.outputs), pu)
    phase = Phase("run", compute, reads + weights, writes, compute)
    return Work(spec.dispatch, compute, (phase,), weight_bytes=weights)


def operator_cycles(op: Operator, pu: PU, spec: CPUClusterSpec | AcceleratorSpec) -> float:
    """Cycles of one core for ``op``, at the efficiency stated for its kind."""
    share = efficiency(spec.efficiency, op)
    dtype = pu.stored_dtype(op.dtype)
    cycles = op.element_ops / (element_rate(spec.element_ops_per_cycle, dtype) * share)
    if op.kind == "Conv" and op.nest is not None and spec.convolution is not None:
        cycles += convolution_cycles(op.nest, spec, dtype)
    elif op.macs:
        cycles += op.macs / (spec.macs_per_cycle[dtype] * share)
    return cycles


def efficiency(table: Mapping[str, float], op: Operator) -> float:
    """The entry for the operator's variant, else its kind, else ``default``."""
    for key in op.kind_path:
        if key in table:
            return table[key]
    return table["default"]


def element_rate(table: Mapping[str, float], dtype: str) -> float:
    """Element operations per cycle; a type not listed runs like a listed one of equal width.

    Failing that, like the slowest listed one.
    """
    if dtype in table:
        return table[dtype]
    width = DTYPE_BYTES[dtype]
    same = [rate for name, rate in table.items() if DTYPE_BYTES[name] == width]
    return min(same or table.values())
