"""Whole networks on the NPUs of Qualcomm's SoCs, as their shipped files describe them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hetsim.calibrate.networks.cases import make_cases
from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.calibrate.networks.simulated import fitting
from hetsim.calibrate.networks.table import read_networks
from hetsim.validate.base import Check, Row, Setting

TABLE, UNIT = "measured_networks.csv", "npu"

DEVICES = {
    "snapdragon-8-elite": "Samsung Galaxy S25",
    "snapdragon-8-gen-3": "Samsung Galaxy S24",
    "qcs8550": "QCS8550 (Proxy)",
    "qcs8450": "QCS8450 (Proxy)",
    "snapdragon-x-elite": "Snapdragon X Elite CRD",
    "snapdragon-x2-elite": "Snapdragon X2 Elite CRD",
    "sa8775p": "SA8775P ADP",
    "qcs9075": "Dragonwing IQ-9075 EVK",
    "qcs8275": "QCS8275 (Proxy)",
    "snapdragon-7-gen-4": "Snapdragon 7 Gen 4 QRD",
    "qcm6690": "Dragonwing Q-6690 MTP",
}
"""What was measured, by SoC file."""


RUNTIMES = ("qnn_dlc", "qnn_context_binary", "tflite")
"""Those that the SoC files are fitted to. ONNX Runtime's rows are 14 % off the same network's under
``qnn_dlc`` in the median: overheads of another program."""


class MeasuredNetworks(Check):
    """What the SoC files reach on networks that their fits have seen."""

    title = "whole networks on phones and boards"
    compared = (
        "a network's simulated time on the NPU of a shipped SoC file beside the measured one; the"
        " file was fitted to such networks (errors on families kept aside stand in 'hetsim list"
        " socs')"
    )
    kind = "measured"
    unit = "s"
    tables = (TABLE,)
    slow = True
    grouped = "device"

    def parts(self, setting: Setting) -> Sequence[str]:
        """A SoC each."""
        return list(DEVICES)

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """Every measured network that has a graph, in the zoo or beside a user's table."""
        own = setting.tables.own
        graphs = own / "networks" if own is not None and (own / "networks").is_dir() else None
        table = read_networks(setting.tables.path(TABLE))
        rows = [row for row in table if row.device == DEVICES[part]]
        usable = make_cases(rows, GraphLibrary(graphs)).of_runtimes(RUNTIMES).usable()
        cases = [case for case in usable if case.row.unit == UNIT]
        model = fitting(part, UNIT)
        assert model is not None
        for case, seconds in zip(cases, model.stated().predict(cases), strict=True):
            if np.isfinite(seconds):
                group = f"{case.device}, {case.precision.group}"
                name = f"{case.name}, {case.row.runtime}"
                yield Row(name, group, case.seconds, float(seconds))
