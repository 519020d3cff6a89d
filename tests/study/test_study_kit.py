"""Our studies pass the studies' kit."""

from __future__ import annotations

import pytest

from hetsim.testing import StudyKit

pytestmark = pytest.mark.slow

WALL = ("seconds", "wall_s", "planning_s")


class TestSweep(StudyKit):
    name = "sweep"
    arguments = ("--vary", "npu.sram=64KiB,256KiB")
    other = ("--vary", "npu.sram=64KiB,512KiB")
    timeless = WALL


class TestWhatIf(StudyKit):
    name = "whatif"
    arguments = ("--only", "npu")
    timeless = WALL


class TestTune(StudyKit):
    name = "tune"
    arguments = ("--evaluations", "40", "--only", "plans")
    other = ("--evaluations", "40", "--execution", "barrier")  # more plans: the same study
    timeless = WALL


class TestExplore(StudyKit):
    name = "explore"
    arguments = ("--vary", "npu.sram=64KiB,256KiB", "--trials", "4", "--sampler", "random")
    other = ("--vary", "npu.sram=64KiB,512KiB", "--trials", "4", "--sampler", "random")
    timeless = WALL

    def ask(self, arguments, file="kit.yaml"):
        pytest.importorskip("optuna")
        return super().ask(arguments, file)
