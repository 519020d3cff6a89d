"""Our cost models pass the cost models' kit."""

from __future__ import annotations

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain
from hetsim.cost.learned.model import LearnedCostModel
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.cost.sources import cost_model
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.regressor import LearnedModel
from hetsim.runs.profile.kernels import simulate_kernels
from hetsim.testing import CostModelKit

pytestmark = pytest.mark.slow


class TestAnalytical(CostModelKit):
    socs = ("edge-mcu", "zcu102-vta", "mobile-flagship")

    def make(self, soc, graphs):
        return AnalyticalModel()


def measured(soc, graphs):
    """A profile of every other operator, among them one that cannot run."""
    entries = {
        operator_key(graph, op): 1e-4 * (1 + i % 7) if i % 9 else float("inf")
        for graph in graphs
        for i, op in enumerate(graph.operators)
        if i % 2 == 0
    }
    table = ProfileTable.of(
        [Entry(key, seconds) for key, seconds in entries.items()],
        name="t", device="d", source="s", scope="kernel",
    )  # fmt: skip
    return MeasuredModel({soc.pus[0].cluster: table}, AnalyticalModel())


class TestMeasured(CostModelKit):
    def make(self, soc, graphs):
        return measured(soc, graphs)


class TestChain(CostModelKit):
    def make(self, soc, graphs):
        return CostChain([measured(soc, graphs), AnalyticalModel()])


class TestVPUNN(CostModelKit):
    socs = ("intel-npu-27", "intel-npu-40")

    def make(self, soc, graphs):
        return cost_model(soc)


class TestLearned(CostModelKit):
    socs = ("edge-mcu",)
    learned: dict[int, LearnedModel] = {}

    def make(self, soc, graphs):
        if not self.learned:
            table = simulate_kernels(self.graphs()[1:], soc, soc.by_name["npu"]).table
            options = TrainingOptions(epochs=20, hidden=(8,))
            self.learned["npu"] = LearnedModel.fit(table, options=options)
        return LearnedCostModel(self.learned, AnalyticalModel())
