"""Students of VPUNN: what they learn, what they refuse, and their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hetsim.cost.sources import cost_model
from hetsim.errors import ConfigError
from hetsim.learn.vpunn.model import JobModel, job_model
from hetsim.learn.vpunn.samples import MEMORY, OPERATIONS_DRAWN, draw_jobs
from hetsim.learn.vpunn.student import Student, is_student, load_student, save_student
from hetsim.learn.vpunn.teaching import Lesson, teach
from hetsim.learn.vpunn.workloads import CONVOLUTION, DEPTHWISE, ELTWISE, FLOAT16, Workloads
from hetsim.soc.loader import load_soc

MODELS = Path(__file__).parents[2] / "socs" / "vpunn"
QUICK = Lesson(keep=0.9, jobs=4000, epochs=3)


@pytest.fixture(scope="module")
def teacher() -> JobModel:
    return job_model(MODELS / "vpu_2_7.vpunn")


@pytest.fixture(scope="module")
def student(teacher: JobModel) -> Student:
    return teach(teacher, lesson=QUICK, operations=(ELTWISE, DEPTHWISE))


def apart(student: Student, teacher: JobModel, jobs: Workloads) -> float:
    found, said = student.cycles(jobs), teacher.cycles(jobs)
    known = np.isfinite(found)
    assert known.mean() > 0.98
    return float(np.abs(found[known] / said[known] - 1).mean())


def test_jobs_fit_a_tile_and_vary(teacher: JobModel) -> None:
    for operation in OPERATIONS_DRAWN:
        jobs = draw_jobs(operation, 4000, np.random.default_rng(1))
        width = np.where(jobs.in_dtype == FLOAT16, 2, 1)
        assert len(jobs) > 2000
        assert np.all(jobs.in_c * jobs.in_h * jobs.in_w * width <= MEMORY)
        assert len(np.unique(jobs.out_h)) > 50
        reached = (jobs.in_h + jobs.pad_top + jobs.pad_bottom - jobs.kernel_h) // jobs.stride_h + 1
        assert np.all((reached == jobs.out_h) | (jobs.in_h == 1))


@pytest.mark.slow
def test_what_is_never_woken_costs_nothing_to_leave_out(teacher: JobModel) -> None:
    whole = teach(teacher, lesson=Lesson(keep=1.0, jobs=9000, epochs=0), operations=(ELTWISE,))
    jobs = draw_jobs(ELTWISE, 2000, np.random.default_rng(5))
    assert apart(whole, teacher, jobs) < 0.005
    kept = sum(weight.size for weight, _ in whole.networks[ELTWISE].layers)
    assert kept < 0.25 * sum(layer.weights.size for layer, _ in teacher.file.network.layers)


@pytest.mark.slow
def test_training_brings_the_pruned_network_nearer(teacher: JobModel) -> None:
    jobs = draw_jobs(ELTWISE, 2000, np.random.default_rng(5))
    errors = [
        apart(teach(teacher, lesson=lesson, operations=(ELTWISE,)), teacher, jobs)
        for lesson in (Lesson(0.6, 6000, 0), Lesson(0.6, 6000, 8, 256, 1e-4))
    ]
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.slow
def test_the_same_seed_makes_the_same_student(teacher: JobModel, student: Student) -> None:
    again = teach(teacher, lesson=QUICK, operations=(ELTWISE,))
    jobs = draw_jobs(ELTWISE, 500, np.random.default_rng(6))
    assert again.cycles(jobs).tolist() == student.cycles(jobs).tolist()


def test_it_says_nothing_of_what_it_was_not_trained_on(student: Student) -> None:
    jobs = Workloads.of({"operation": [ELTWISE, ELTWISE, CONVOLUTION, DEPTHWISE], "in_c": 32,
                         "in_h": [9, 9, 9, 5000], "in_w": 9, "out_c": 32, "out_h": 9, "out_w": 9,
                         "weight_sparse": [0, 1, 0, 0]}, 4)  # fmt: skip
    assert np.isfinite(student.cycles(jobs)).tolist() == [True, False, False, False]


def test_a_file_gives_the_student_back(student: Student, tmp_path: Path) -> None:
    save_student(student, tmp_path / "s.npz")
    assert is_student((tmp_path / "s.npz").read_bytes()[:64])
    jobs = draw_jobs(DEPTHWISE, 500, np.random.default_rng(6))
    np.testing.assert_allclose(
        load_student(tmp_path / "s.npz").cycles(jobs), student.cycles(jobs), rtol=0.02, atol=1
    )


def test_damaged_files_are_refused(student: Student, tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    save_student(student, path)
    whole = path.read_bytes()
    for content in (whole[:500], whole[: len(whole) // 2], whole[:64] + bytes(len(whole) - 64)):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="not a student") as caught:
            load_student(path)
        assert caught.value.where is not None


def test_a_unit_may_name_it() -> None:
    """The shipped one answers for networks as its teacher does."""
    soc = load_soc("intel-npu-27", {"npu.learned": "vpunn/vpu_2_7.student.npz"})
    assert cost_model(soc).models[0].models["npu"].jobs.name == "VPUNN-11-02"
