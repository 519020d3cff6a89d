"""Small tables of measured networks, and a directory of graphs, for tests."""

from __future__ import annotations

import csv
from pathlib import Path

HEADER = "model,component,precision,device,runtime,primary_unit,latency_ms,layers_npu,layers_cpu\n"
ZOO = ("resnet18", "mobilenet_v2", "squeezenet", "vgg19", "alexnet", "shufflenet", "zfnet512",
       "squeezenet1_1", "resnet50", "densenet121", "inception_v2", "vit_b16")  # fmt: skip


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "measured.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def library(tmp_path: Path, **columns: str) -> Path:
    """A directory with resnet18 under another name, and an index with ``columns``."""
    import onnx

    from hetsim.workload.zoo import build_model_proto

    directory = tmp_path / "graphs"
    directory.mkdir()
    onnx.save(build_model_proto("resnet18"), str(directory / "r18.onnx"))
    with (directory / "index.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["model", "file", *columns])
        writer.writerow(["mine", "r18.onnx", *columns.values()])
        writer.writerow(["broken", "broken.onnx", *columns.values()])
    (directory / "broken.onnx").write_bytes(b"no network")
    return directory


def lines(devices: dict[str, float], count: int = 12) -> list[str]:
    return [
        f"{name},,float,{device},qnn,NPU,{factor * (1 + i)},,"
        for device, factor in devices.items()
        for i, name in enumerate(ZOO[:count])
    ]
