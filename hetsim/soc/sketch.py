"""A first SoC file out of a few numbers: commented, so that what is assumed can be put right.

What a data sheet's first page says is taken as it is; everything else is marked as an estimate,
with the figure's origin where it has one. The file is text that a person goes on to edit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hetsim.units import format_quantity

USUAL_NPU_CLOCK = 0.8e9
"""Hz. The array of a sketch is the square of a power of two whose clock comes nearest to this."""


@dataclass(frozen=True)
class Sketch:
    """The numbers: Hz, int8 operations a second (a multiply-accumulate is two), bytes, B/s.

    Without ``ops_per_s`` there is no NPU.
    """

    name: str
    cores: int = 4
    clock: float = 2.0e9
    ops_per_s: float = 4.0e12
    sram: float = 2.0**20
    bandwidth: float = 12.8e9
    capacity: float = 4 * 2.0**30

    @property
    def array(self) -> tuple[int, float]:
        """Rows (and columns) of the NPU's array, and its clock in Hz that gives the rate."""
        side = 2 ** max(0, round(math.log2(self.ops_per_s / (2 * USUAL_NPU_CLOCK)) / 2))
        return side, self.ops_per_s / (2 * side * side)


def soc_text(sketch: Sketch) -> str:
    """The SoC file."""
    npu = _npu(sketch) if sketch.ops_per_s else ""
    what = f"{sketch.cores} cores" + (", NPU" if npu else "")
    bandwidth = format_quantity(sketch.bandwidth, "bandwidth", 6)
    capacity = format_quantity(sketch.capacity, "size", 6)
    clock = format_quantity(sketch.clock, "frequency", 6)
    return f"""\
# A sketch made by 'hetsim init' from a few numbers. What is marked [estimate] is a common value and
# not yours: put in what you know. Every field and its unit: hetsim schema soc
hetsim: soc/1
name: {sketch.name}
description: {what}, {bandwidth} of memory

memory:
  dram:
    bandwidth: {bandwidth}
    # [estimate] What remains of the peak with 1, 2, 3 masters at the same time (row misses).
    efficiency: [0.85, 0.80, 0.76]
    capacity: {capacity}
    latency: 120 ns                # [estimate] loaded first access
    energy_per_byte: 60 pJ         # [estimate] LPDDR4, device and interface

links:
  # The interconnect that everybody crosses. Its ports can be links of their own in 'path'.
  noc: {{bandwidth: {bandwidth}, latency: 30 ns}}   # [estimate] as wide as the memory is fast

pus:
  cpu:
    kind: cpu_cluster
    cores: {sketch.cores}
    path: [noc, dram]
    operating_points:
      # [estimate] Half a watt a core.
      nominal: {{clock: {clock}, active_power: {sketch.cores * 0.5:g} W, idle_power: 50 mW}}
    # [estimate] Two 128-bit vector pipes, as Arm's middle cores have them; by data type.
    macs_per_cycle: {{float32: 8, float16: 16, int8: 32, uint8: 32, int16: 8, int32: 8, int64: 2}}
    element_ops_per_cycle:
      {{float32: 8, float16: 16, int8: 32, uint8: 32, int32: 8, int64: 4, bool: 32}}
    # [estimate] Share of the peak that tuned kernels reach; measure yours: hetsim calibrate
    efficiency:
      default: 0.12
      Conv: 0.55
      Conv.depthwise: 0.20
      Gemm: 0.30
      MatMul: 0.50
    parallel_efficiency: 0.9       # [estimate] of threads beside one another
    l2: 512 KiB                    # [estimate]
    dispatch: 5 us                 # [estimate] calling one kernel
    fuse: [Conv-Relu, Conv-Clip, Conv-Add, Conv-Add-Relu, Gemm-Relu]
{npu}
runtime:
  host: cpu                        # where the application runs and hands tensors over
  partition_call: 5 us             # [estimate]
  thread_create: 12 us             # [estimate]
  thread_join: 8 us                # [estimate]
"""


def _npu(sketch: Sketch) -> str:
    side, hertz = sketch.array
    clock = format_quantity(hertz, "frequency", 6)
    tops = sketch.ops_per_s / 1e12
    dma = format_quantity(sketch.bandwidth, "bandwidth", 6)
    return f"""
  npu:
    kind: npu
    path: [noc, dram]
    operating_points:
      # {side} x {side} multiply-accumulates at this clock are the {tops:g} TOPS (int8) asked for.
      # [estimate] Three TOPS a watt.
      nominal: {{clock: {clock}, active_power: {tops / 3:.3g} W, idle_power: 30 mW}}
    array: {{rows: {side}, columns: {side}, dataflow: weight_stationary}}
    array_efficiency: 0.85         # [estimate] changes of tiles
    dtypes: {{int8: 1.0, uint8: 1.0}}
    vector_lanes: {side}               # [estimate] element-wise operations a cycle
    sram: {format_quantity(sketch.sram, "size", 6)}
    dma: {{engines: 1, bandwidth: {dma}}}   # [estimate] as fast as the memory
    precision: {{float32: int8}}     # float networks are quantised for it
    layout: nhwc
    # Kinds it takes; everything else goes to the CPU. All kinds: hetsim list operators
    operators: {{Conv: {{}}, Gemm: {{}}, MatMul: {{}}, Add: {{}}, Relu: {{}}, Clip: {{}},
                Concat: {{}}, MaxPool: {{}}, AveragePool: {{}}, GlobalAveragePool: {{}}}}
    fuse: [Conv-Relu, Conv-Clip, Conv-Add, Conv-Add-Relu, Gemm-Relu]
    dispatch: 20 us                # [estimate] descriptor, doorbell, firmware
    # [estimate] Changing format on the way in and out, per element, and cleaning caches.
    crossing: {{quantise: 0.5 ns, relayout: 0.4 ns, cache_maintenance: 10 GB/s}}
    host_wait: interrupt
    interrupt_latency: 10 us       # [estimate]
"""
