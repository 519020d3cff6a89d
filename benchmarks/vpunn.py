"""VPUNN read by hetsim, and the student that learned from it: errors and speed.

``python benchmarks/vpunn.py`` prints, for each model of jobs, its error on the reference cycles
that ship in ``hetsim/data``, by family; for each DMA model, that on transfers of 4 KiB and more;
then how near the student is to its teacher on jobs drawn anew, by operation, and both their rates,
timed in turn in this one process. What to compare is the ratio. ``--teach FILE`` trains a student
first (minutes), and everything is said of that one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hetsim.learn.tables import read_measurements
from hetsim.learn.vpunn.judge import Judge
from hetsim.learn.vpunn.model import job_model, transfer_model
from hetsim.learn.vpunn.samples import OPERATIONS_DRAWN, draw_jobs
from hetsim.learn.vpunn.student import load_student, save_student
from hetsim.learn.vpunn.teaching import Lesson, teach
from hetsim.learn.vpunn.workloads import OPERATIONS, Transfers, Workloads
from hetsim.library import shipped

ROOT = Path(__file__).parents[1]
DATA = ROOT / "hetsim" / "data"
MODELS = shipped("socs")["intel-npu-27"].parent / "vpunn"
STUDENT = MODELS / "vpu_2_7.student.npz"
REFERENCE_CLOCK = 975e6
LARGE = 4096
DRAWN = 20_000
SEED = 4711
"""Not the seed of any lesson."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teach", type=Path, metavar="FILE", help="train a student, write it")
    parser.add_argument("--jobs", type=int, default=Lesson.jobs, help="for each operation")
    parser.add_argument("--epochs", type=int, default=Lesson.epochs)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    teacher = job_model(MODELS / "vpu_2_7.vpunn")
    if options.teach:
        began = time.process_time()
        lesson = Lesson(jobs=options.jobs, epochs=options.epochs)
        save_student(teach(teacher, seed=options.seed, lesson=lesson), options.teach)
        print(f"taught in {time.process_time() - began:.0f} processor seconds")
    student = load_student(options.teach or STUDENT)
    print("\nerror on reference cycles, MAPE")
    reference("VPU 2.7, vpu_2_7.vpunn", "vpu_2_7_cycles.csv", teacher)
    reference("NPU 4, vpu_4_0.vpunn", "vpu_4_0_cycles.csv", job_model(MODELS / "vpu_4_0.vpunn"))
    reference("VPU 2.7, the student", "vpu_2_7_cycles.csv", student)
    for profile in ("dma_2_7", "dma_4_0"):
        transfers(profile)
    print("\nthe student against its teacher, jobs it was not trained on")
    for operation in OPERATIONS_DRAWN:
        compare(operation, teacher, student)


def reference(title: str, file: str, judge: Judge) -> None:
    table = read_measurements(DATA / file)
    cycles = judge.cycles(Workloads.of_table(table))
    known = np.isfinite(cycles)
    error = np.abs(cycles / table.target - 1)
    print(f"{title}: {error[known].mean():.1%} of {known.sum()} rows ({len(table)} in the table)")
    for family in np.unique(table.families):
        rows = (table.families == family) & known
        print(f"  {family}: {error[rows].mean():.1%} of {rows.sum()}")


def transfers(profile: str) -> None:
    table = read_measurements(DATA / "npu_dma_cycles.csv")
    rows = table.select((table["profile"] == profile) & (table["bytes"] >= LARGE))
    seconds = transfer_model(MODELS / f"{profile}.vpunn").seconds(Transfers.of_table(rows))
    error = np.abs(seconds * REFERENCE_CLOCK / rows.target - 1).mean()
    print(f"{profile}, {LARGE} bytes and more: {error:.1%} of {len(rows)} rows")


def compare(operation: int, teacher: Judge, student: Judge) -> None:
    jobs = draw_jobs(operation, DRAWN, np.random.default_rng([SEED, operation]))
    said, learned = teacher.cycles(jobs), student.cycles(jobs)
    known = np.isfinite(learned)
    error = np.abs(learned[known] / said[known] - 1)
    rates = [len(jobs) / seconds for seconds in in_turn(jobs, teacher.cycles, student.cycles)]
    print(
        f"  {OPERATIONS[operation]}: {error.mean():.2%}, 90th percentile"
        f" {np.quantile(error, 0.9):.2%}, of {known.sum()} jobs;"
        f" {rates[1]:,.0f} against {rates[0]:,.0f} a second, {rates[1] / rates[0]:.1f} times"
    )


def in_turn(jobs: Workloads, *asked: Callable[[Workloads], object]) -> list[float]:
    """The least processor time of each of five tries."""
    taken: list[list[float]] = [[] for _ in asked]
    for _ in range(5):
        for function, times in zip(asked, taken, strict=True):
            began = time.process_time()
            function(jobs)
            times.append(time.process_time() - began)
    return [min(times) for times in taken]


if __name__ == "__main__":
    main()
