"""Our kinds of processing units pass the kinds' kit."""

from __future__ import annotations

import pytest

from hetsim.testing import PUKindKit

pytestmark = pytest.mark.slow

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


class TestGPU(PUKindKit):
    kind = "gpu"
    moves = {
        "cores": 2,
        "resident": 8,
        "tiles": [{"rows": 200, "columns": 3}],
        "operand_width": 0.5,
        "staging.memory": "3 KiB",
        "matrix.macs_per_cycle.float32": 128,
        "matrix.depth": 512,
        "winograd": 4,
        "work_group": 4096,
        "completion": "90 us",
    }

    def entry(self):
        return {
            **RATES,
            "cores": 4,
            "resident": 2,
            "operand_width": 64,
            "staging": {"memory": "16 KiB", "steps": 16},
            "matrix": {"macs_per_cycle": {"float32": 32}, "depth": 8},
            "dispatch": "10 us",
            "completion": "20 us",
        }


class TestDSP(PUKindKit):
    kind = "dsp"
    moves = {"threads": 1, "vector": "256 B", "sums": 4, "loads": 0.1, "tcm": "1 KiB",
             "dma": "0.5 GB/s", "rpc": "200 us"}  # fmt: skip

    def entry(self):
        return {
            **RATES,
            "threads": 4,
            "vector": "128 B",
            "tcm": "256 KiB",
            "dma": "4 GB/s",
            "rpc": "50 us",
        }


class TestMobileNPU(PUKindKit):
    kind = "mobile_npu"
    moves = {"block": 8, "sram": "1 KiB", "strips": 16, "rpc": "200 us",
             "dtypes.float32.bandwidth": "0.5 GB/s",
             "dispatch": "9 us", "dtypes.float32.macs_per_cycle": 7,
             "dtypes.float32.elements_per_cycle": 3, "dtypes.float32.efficiency.default": 0.2,
             "dtypes.float32.passes.default": 90.0, "dtypes.float32.tail": 40.0,
             "dtypes.float32.kernel": "5 us"}  # fmt: skip

    def entry(self):
        reached = {
            "macs_per_cycle": 64,
            "elements_per_cycle": 16,
            "efficiency": {"default": 0.5, "Conv.depthwise": 0.1},
            "passes": {"default": 1.0, "Softmax": 4.0},
            "tail": 0.5,
            "bandwidth": "4 GB/s",
            "kernel": "1 us",
        }
        return {
            "dtypes": {"float32": reached, "int8": reached},
            "block": 16,
            "sram": "16 KiB",
            "dispatch": "2 us",
            "rpc": "50 us",
            "fuse": ["Conv-Relu"],
        }
