"""The same network in floats and quantised in every way its file can say it, on the shipped SoCs.

    python benchmarks/quantised.py --soc mobile-flagship --soc edge-mcu mobilenet_v2 FILE.onnx

ONNX Runtime's own quantiser makes the files (post-training, calibrated on random data: times do
not depend on it). Printed for each: operators and conversions left, time on the NPU under
``type_based`` beside that of the float network, the CPU alone, and the best of the three
schedulers. The NPU of both SoCs computes floats in int8, so the first should not depend on the
spelling.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hetsim
from hetsim.analysis.result import Result
from hetsim.host.network import load_network

SCHEDULERS = ("cpu_only", "type_based", "profile_greedy")
FORMS = ("QDQ", "QDQ per channel", "QOperator", "16-bit activations", "4-bit weights", "dynamic")


def quantised(
    network: str, folder: Path, forms: tuple[str, ...] = FORMS
) -> Iterator[tuple[str, Path]]:
    """The float network ready to run, then each of ``forms`` of it, as files in ``folder``."""
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    loaded = load_network(network)
    raw, ready = folder / "raw.onnx", folder / "float.onnx"
    onnx.save(loaded.model, raw)
    quant_pre_process(str(raw), str(ready), skip_symbolic_shape=True)
    yield "float", ready
    settings: Mapping[str, dict[str, Any]] = {
        "QDQ": {},
        "QDQ per channel": {"per_channel": True},
        "QOperator": {"quant_format": QuantFormat.QOperator},
        "16-bit activations": {"activation_type": QuantType.QUInt16},
        "4-bit weights": {"weight_type": QuantType.QInt4},
    }
    for form in forms:
        path = folder / f"{form.replace(' ', '_')}.onnx"
        if form == "dynamic":
            quantize_dynamic(ready, path)
        else:
            quantize_static(str(ready), str(path), _Calibration(loaded.feeds), **settings[form])
        yield form, path


class _Calibration:
    """What the quantiser asks for inputs, twice the same."""

    def __init__(self, feeds: Mapping[str, Any]) -> None:
        self._left = [feeds, feeds]

    def get_next(self) -> Mapping[str, Any] | None:
        return self._left.pop() if self._left else None

    def set_range(self, start_index: int, end_index: int) -> None:
        """One batch is all there is."""


def simulated(path: Path, soc: str) -> Result:
    """``path`` on ``soc`` under the three schedulers."""
    scenario = path.with_suffix(".yaml")
    scenario.write_text(
        f"hetsim: scenario/1\nname: quantised\nsoc: {soc}\nmodels: [{{path: {path}}}]\n"
        f"schedulers: [{', '.join(SCHEDULERS)}]\n",
        encoding="utf-8",
    )
    return hetsim.run(scenario)


def npu_seconds(result: Result) -> float:
    """Time in kernels of the NPU under ``type_based``."""
    run = next(run for run in result.runs if run.scheduler == "type_based")
    return sum(
        busy.busy_s for name, busy in run.pus.items() if result.soc.by_name[name].spec.role == "npu"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--soc", action="append")
    given = parser.parse_args()
    row = "{:<16} {:<20} {:<20} {:>9} {:>11} {:>9} {:>7} {:>9} {:>9}"
    head = (
        "SoC",
        "network",
        "form",
        "operators",
        "converting",
        "NPU ms",
        "ratio",
        "CPU ms",
        "best ms",
    )
    print(row.format(*head))
    for network in given.networks:
        for soc in given.soc or ["mobile-flagship", "edge-mcu"]:
            with tempfile.TemporaryDirectory() as folder:
                floats = 0.0
                for form, path in quantised(network, Path(folder)):
                    result = simulated(path, soc)
                    runs = {run.scheduler: run for run in result.runs}
                    operators = runs["cpu_only"].graph.operators
                    left = sum(op.kind.endswith("QuantizeLinear") or op.kind == "DequantizeLinear"
                               for op in operators)  # fmt: skip
                    failed = next((run.error for run in result.runs if run.error), None)
                    if failed:
                        print(f"{soc:<16} {Path(network).stem:<20} {form:<20} {failed}")
                        continue
                    npu = npu_seconds(result)
                    floats = floats or npu
                    times = [run.makespan_s * 1e3 for run in result.runs]
                    print(row.format(
                        soc, Path(network).stem, form, len(operators) - left, left,
                        f"{npu * 1e3:.3f}", f"{npu / floats:.3f}",
                        f"{runs['cpu_only'].makespan_s * 1e3:.3f}", f"{min(times):.3f}",
                    ))  # fmt: skip


if __name__ == "__main__":
    main()
