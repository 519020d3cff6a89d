"""Describe a SoC in a file of your own and run a network on it.

Two cores and a small NPU behind one bus. A field that is missing or makes no sense is an error
with file, line and column. Prints the time of one network under two schedulers.
"""

from pathlib import Path

import hetsim

SOC = """
hetsim: soc/1
name: tiny
memory:
  dram: {bandwidth: 3.2 GB/s, capacity: 256 MiB, latency: 80 ns}
links:
  bus: {width: 64 bit, clock: 200 MHz}
pus:
  cpu:
    kind: cpu_cluster
    cores: 2
    path: [bus, dram]
    operating_points: {nominal: {clock: 1 GHz}}
    macs_per_cycle: {float32: 4, int8: 16}
    element_ops_per_cycle: {float32: 4, int8: 16}
    efficiency: {default: 0.5}
    l2: 256 KiB
    dispatch: 5 us
    fuse: [Conv-Relu]
  npu:
    kind: npu
    path: [bus, dram]
    operating_points: {nominal: {clock: 500 MHz}}
    array: {rows: 16, columns: 16, dataflow: weight_stationary}
    dtypes: {int8: 1.0}
    vector_lanes: 16
    sram: 512 KiB
    dma: {engines: 2, bandwidth: 2 GB/s}
    precision: {float32: int8}
    operators: {Conv: {}, Relu: {}, MaxPool: {}}
    fuse: [Conv-Relu]
    dispatch: 20 us
    crossing: {quantise: 1 ns}
runtime: {host: cpu, partition_call: 5 us, thread_create: 10 us, thread_join: 5 us}
"""

Path("tiny.yaml").write_text(SOC, encoding="utf-8")
Path("mine.yaml").write_text(
    "hetsim: scenario/1\nname: mine\nsoc: tiny.yaml\nmodels: [squeezenet]\n"
    "schedulers: [cpu_only, type_based]\n",
    encoding="utf-8",
)
for run in hetsim.run("mine.yaml").runs:
    print(f"{run.scheduler}: {1e3 * run.makespan_s:.2f} ms")
