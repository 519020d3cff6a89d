"""Our kinds of processing units pass the kinds' kit."""

from __future__ import annotations

from hetsim.testing import PUKindKit

RATES = {
    "macs_per_cycle": {"float32": 16, "int8": 64},
    "element_ops_per_cycle": {"float32": 8, "int8": 16},
    "efficiency": {"default": 0.5, "Conv": 0.7},
    "fuse": ["Conv-Relu"],
}


class TestCluster(PUKindKit):
    kind = "cpu_cluster"
    moves = {"parallel_efficiency": 0.3, "dispatch": "9 us", "efficiency.Conv": 0.2}

    def entry(self):
        return {**RATES, "cores": 4, "parallel_efficiency": 0.8, "dispatch": "1 us"}


class TestAccelerator(PUKindKit):
    kind = "accelerator"
    moves = {"macs_per_cycle.float32": 4, "fuse": []}

    def entry(self):
        return {**RATES, "dispatch": "5 us"}


class TestNPU(PUKindKit):
    kind = "npu"
    moves = {"sram": "32 KiB", "dma.bandwidth": "1 GB/s", "array.rows": 4}

    def entry(self):
        return {
            "array": {"rows": 16, "columns": 16, "dataflow": "weight_stationary"},
            "dtypes": {"int8": 1.0},
            "precision": {"float32": "int8"},
            "vector_lanes": 16,
            "sram": "256 KiB",
            "dma": {"bandwidth": "4 GB/s", "setup": "200 ns"},
            "operators": {"Conv": {"max_kernel": 3}, "Relu": {}, "Add": {}, "MaxPool": {}},
            "fuse": ["Conv-Relu"],
        }
