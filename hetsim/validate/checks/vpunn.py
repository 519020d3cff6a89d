"""Intel's NPUs: jobs of a tile's array and transfers, beside the reference cycles of VPUNN's tests.

Hunter et al., arXiv 2205.04586; ``intel/npu-nn-cost-model``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hetsim.calibrate.spread import Residual, reaches
from hetsim.learn.tables import Measurements, read_measurements
from hetsim.learn.vpunn.model import job_model, transfer_model
from hetsim.learn.vpunn.workloads import Transfers, Workloads
from hetsim.library import shipped
from hetsim.validate.base import Check, Row, Setting

_JOBS = {
    "VPU 2.7": ("vpu_2_7_cycles.csv", "vpu_2_7.vpunn"),
    "NPU 4": ("vpu_4_0_cycles.csv", "vpu_4_0.vpunn"),
}
_TRANSFERS = "npu_dma_cycles.csv"
_ENGINES = {"dma_2_7": "VPU 2.7", "dma_4_0": "NPU 4"}
_CLOCK = 975e6
"""Hertz in which the table counts."""

_LARGE = 4096
"""Bytes; a smaller transfer is mostly its set-up, which the reference rounds to 50 cycles."""

_CLASSES = {
    "CONVOLUTION": "Conv", "CM_CONVOLUTION": "Conv", "DW_CONVOLUTION": "Conv.depthwise",
    "ELTWISE": "Add", "MAXPOOL": "MaxPool",
}  # fmt: skip


class ArrayCycles(Check):
    """Jobs of one tile's array."""

    title = "jobs of Intel's NPUs"
    compared = (
        "cycles of a job of one tile's array, as the shipped VPUNN files tell them, beside those"
        " that VPUNN's tests call ground truth; its authors may have trained on them. The range is"
        " that of the errors of other layers"
    )
    kind = "published"
    unit = "cycles"
    tables = tuple(table for table, _ in _JOBS.values())
    peer = "the library itself: 2.8 % (VPU 2.7) and 7.1 % (NPU 4) mean absolute error"
    grouped = "chip"

    def parts(self, setting: Setting) -> Sequence[str]:
        """A generation each."""
        return tuple(_JOBS)

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each job."""
        file, model = _JOBS[part]
        table = read_measurements(setting.tables.path(file))
        cycles = job_model(_models() / model).cycles(Workloads.of_table(table))
        ratio = np.log(table.target / cycles)
        residuals = [
            Residual(float(ratio[i]), layer_of(table, i), {class_of(table, i): 1.0})
            for i in range(len(table))
        ]
        for i, reach in enumerate(reaches(residuals)):
            said = float(cycles[i])
            yield Row(
                f"{residuals[i].group} line {table.lines[i]}", part, float(table.target[i]), said,
                said / float(np.exp(reach)), said * float(np.exp(reach)),
            )  # fmt: skip


class TransferCycles(Check):
    """Transfers between memory and the tiles."""

    title = "transfers of Intel's NPUs"
    compared = (
        "cycles at 975 MHz of one DMA engine's transfer of 4 KiB and more, as the shipped VPUNN"
        " files tell them, beside those of VPUNN's tests"
    )
    kind = "published"
    unit = "cycles"
    tables = (_TRANSFERS,)
    peer = "the library itself: 4.4 % (VPU 2.7) and 12.6 % (NPU 4) mean absolute error"
    grouped = "chip"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each transfer."""
        table = read_measurements(setting.tables.path(_TRANSFERS))
        for profile, chip in _ENGINES.items():
            rows = table.select((table["profile"] == profile) & (table["bytes"] >= _LARGE))
            model = transfer_model(_models() / f"{profile}.vpunn")
            cycles = model.seconds(Transfers.of_table(rows)) * _CLOCK
            for i in range(len(rows)):
                name = f"{rows['bytes'][i]} bytes {rows['direction'][i]}"
                yield Row(name, chip, float(rows.target[i]), float(cycles[i]))


def _models() -> Path:
    return shipped("socs")["intel-npu-27"].parent / "vpunn"


def class_of(table: Measurements, row: int) -> str:
    """What a SoC file calls the operation of a job."""
    return _CLASSES.get(str(table["operation"][row]), "default")


def layer_of(table: Measurements, row: int) -> str:
    """What a job shares its error with: family, window, stride and data type."""
    return (
        f"{table.families[row]} {table['kernel_height'][row]}x{table['kernel_width'][row]}"
        f" s{table['kernel_stride_height'][row]} {table['input_0_datatype'][row]}"
    )
