"""How sure models of whole networks are, on rows whose families they have not seen."""

from __future__ import annotations

import numpy as np
import pytest

from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.judge import KNOWN, Judged
from hetsim.calibrate.networks.precision import precision_of
from hetsim.calibrate.networks.sureness import covered, sureness
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.workload.networks import load_network


def judged(off: dict[str, float], rows: int) -> Judged:
    """``rows`` of each device, off by so much (a standard deviation), near copies in twos."""
    graph = load_network("resnet18")
    rng = np.random.default_rng(3)
    cases, predicted = [], []
    for device, sigma in off.items():
        for i, error in enumerate(np.repeat(rng.normal(0, sigma, rows // 2), 2)):
            row = NetworkTime(f"net{i // 2}", device, "tflite", 1e-3, unit="npu")
            precision = precision_of("float", "npu")
            cases.append(MeasuredNetwork(row, graph, precision, f"net{i // 2}", "classifier"))
            predicted.append(1e-3 * np.exp(error))
    nothing = np.array([*predicted[:-1], np.nan])
    fold = np.zeros(len(cases), dtype=np.int64)
    return Judged(KNOWN, tuple(cases), fold, {"good": np.array(predicted), "gap": nothing})


@pytest.mark.slow
def test_each_device_is_as_sure_as_its_rows_say() -> None:
    rows = judged({"one": 0.1, "two": 0.4}, 120)
    found = sureness(rows, "good")
    total = {
        device: np.hypot(one.spread.unit, np.sqrt(0.05) * one.spread.kernel)
        for (device, _), one in found.items()
    }
    assert total["one"] == pytest.approx(0.1, rel=0.3)
    assert total["two"] == pytest.approx(0.4, rel=0.3)
    assert 0.85 <= covered(found) <= 0.95
    assert sum(one.rows for one in found.values()) == 240
    assert sum(one.rows for one in sureness(rows, "gap").values()) == 239
