"""What the tests of foreign profiles share."""

from __future__ import annotations

from pathlib import Path

from hetsim.workload.zoo import load_model

SQUEEZENET = load_model("squeezenet")


RESNET = load_model("resnet18")


def kinds(table) -> list[str]:
    return [doubt.kind for doubt in table.doubts]


def store(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def events(times: dict[str, list[float]], shapes=None, kinds=None):
    made = []
    for name, runs in times.items():
        for at, duration in enumerate(runs):
            args = {"op_name": (kinds or {}).get(name, "X"), "provider": "CPUExecutionProvider"}
            if shapes and name in shapes:
                args["output_type_shape"] = [{"float": list(shapes[name])}]
            made.append(
                {"cat": "Node", "name": f"{name}_kernel_time", "dur": duration,
                 "ts": at * 1000, "args": args}
            )  # fmt: skip
    return [{"cat": "Session", "name": "model_run", "dur": 1, "ts": 0}, *made]
