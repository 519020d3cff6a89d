"""The shipped VPUNN files on the reference cycles of their authors: the library's own errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hetsim
from hetsim.learn.physical.npu import array_work
from hetsim.learn.tables import read_measurements
from hetsim.learn.vpunn.model import job_model, transfer_model
from hetsim.learn.vpunn.student import load_student
from hetsim.learn.vpunn.workloads import Transfers, Workloads

MODELS = Path(__file__).parents[2] / "socs" / "vpunn"
DATA = Path(hetsim.__file__).parent / "data"


# The library's own errors on these rows, percent, to a tenth: a descriptor with a field in the
# wrong place is far off.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "rows", "error"),
    [("vpu_2_7.vpunn", "vpu_2_7_cycles.csv", 2.8), ("vpu_4_0.vpunn", "vpu_4_0_cycles.csv", 6.9)],
)
def test_jobs(model: str, rows: str, error: float) -> None:
    table = read_measurements(DATA / rows)
    cycles = job_model(MODELS / model).cycles(Workloads.of_table(table))
    found = 100 * float(np.abs(cycles / table.target - 1).mean())
    assert found == pytest.approx(error, abs=0.05)


@pytest.mark.parametrize(("profile", "error"), [("dma_2_7", 4.4), ("dma_4_0", 12.6)])
def test_transfers_of_four_kibibytes_and_more(profile: str, error: float) -> None:
    table = read_measurements(DATA / "npu_dma_cycles.csv")
    large = table.select((table["profile"] == profile) & (table["bytes"] >= 4096))
    seconds = transfer_model(MODELS / f"{profile}.vpunn").seconds(Transfers.of_table(large))
    found = 100 * float(np.abs(seconds * 975e6 / large.target - 1).mean())
    assert found == pytest.approx(error, abs=0.05)


@pytest.mark.slow
def test_the_student_has_learned_the_families_it_never_saw() -> None:
    table = read_measurements(DATA / "vpu_2_7_cycles.csv")
    cycles = load_student(MODELS / "vpu_2_7.student.npz").cycles(Workloads.of_table(table))
    known = np.isfinite(cycles)
    dense = (table["weight_sparsity_enabled"] == 0) & (table["input_sparsity_enabled"] == 0)
    assert known.tolist() == dense.tolist()
    error = np.abs(cycles / table.target - 1)
    for family in np.unique(table.families):
        assert error[known & (table.families == family)].mean() < 0.14, family


def test_a_depthwise_job_works_on_whole_reads_of_channels() -> None:
    """The reference has it so: 16 channels of 8 bits take what 32 take, of 16 bits half of them."""
    table = read_measurements(DATA / "vpu_2_7_cycles.csv")
    rows = table.select(
        (table["operation"] == "DW_CONVOLUTION") & (table["output_0_channels"] <= 32)
    )
    works = array_work(rows) / rows.number("macs") * rows.number("output_0_channels")
    for dtype, ratio in (("UINT8", 1.0), ("FLOAT16", 2.0)):
        of = rows["input_0_datatype"] == dtype
        few, many = (of & (rows["output_0_channels"] == count) for count in (16, 32))
        assert np.median(works[many]) / np.median(works[few]) == pytest.approx(ratio)
        per_mac = rows.target / rows.number("macs") * rows.number("output_0_channels")
        measured = np.median(per_mac[many]) / np.median(per_mac[few])
        assert measured == pytest.approx(ratio, rel=0.12)
