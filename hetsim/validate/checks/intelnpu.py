"""Whole networks on an Intel NPU, beside the latencies that OpenVINO's documentation publishes."""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Check, Row, Setting
from hetsim.workload.networks import load_network

TABLE = "openvino_npu.csv"
SOC = "intel-npu-27"


class IntelNPUNetworks(Check):
    """A network on the NPU alone."""

    title = "networks on an Intel NPU"
    compared = (
        "latency of one inference on the NPU of a Core Ultra 7 165H, measured by its vendor, beside"
        f" {SOC} at that processor's 1.4 GHz; no figure of the file was fitted to it"
    )
    kind = "measured"
    unit = "s"
    tables = (TABLE,)
    grouped = "platform"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each network."""
        for record in setting.tables.records(TABLE):
            precision = {"npu.precision.float32": record["dtype"]}
            soc = load_soc(SOC, {"npu.operating_point": "peak", **precision})
            case = Case(load_network(record["model"]), soc)
            plan = case.plan(create("npu_only"))
            trace = case.simulate(plan)
            yield Row(
                f"{record['network']} {record['dtype']}", record["platform"],
                float(record["latency_ms"]) * 1e-3, trace.makespan_s,
            )  # fmt: skip
