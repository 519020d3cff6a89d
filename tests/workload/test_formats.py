"""Which format a file is of, and formats that packages bring along."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.errors import ConfigError, WorkloadError
from hetsim.testing import ModelFormatKit
from hetsim.workload.formats import GROUP, format_of, formats, names_file
from hetsim.workload.networks import load_network, network_inputs
from tests.installed import Install, install
from tests.workload.samples import model, node, weight

__all__ = ["install"]

FOREIGN = """
from hetsim.workload.formats import ModelFormat
class Dots(ModelFormat):
    title, suffixes = "Dots", (".dots",)
    def recognises(self, head): return head.startswith(b"dots")
    def load(self, path, **options): return options
    def inputs(self, path): return ["i"]
"""


class TestONNX(ModelFormatKit):
    name = "onnx"
    macs = 3 * 5 * 7

    def write(self):
        nodes = [node("MatMul", ["x", "w"], "y")]
        proto = model(nodes, {"x": [3, 5]}, ["y"], {"w": weight(5, 7)})
        return proto.SerializeToString()


class TestTFLite(ModelFormatKit):
    name = "tflite"
    macs = 5 * 4 * 4 * 27 + 3 * 2 * 8 * 9 + 8 * 10

    def write(self):
        pytest.importorskip("tflite")
        from tests.workload.tflite_files import small_network

        return small_network()


@pytest.mark.parametrize(
    ("text", "file"),
    [("resnet18", False), ("a.onnx", True), ("a.TFLITE", True), ("x/resnet18", True),
     ("./resnet18", False), ("v1.5", False), ("mine.bin", False)],
)  # fmt: skip
def test_a_file_is_told_from_a_network_of_the_zoo(text: str, file: bool) -> None:
    assert names_file(text) == file


def test_a_format_of_a_package_is_asked_like_our_own(install: Install, tmp_path: Path) -> None:
    install(FOREIGN, {GROUP: {"dots": "foreign:Dots"}})
    path = tmp_path / "net.dots"
    path.write_bytes(b"dots 1 2 3")
    assert list(formats()) == ["onnx", "tflite", "dots"]
    assert load_network(path, name="me") == {"name": "me"}
    assert network_inputs(str(path)) == ["i"]
    path.rename(tmp_path / "net.onnx")
    with pytest.raises(WorkloadError, match="its name says ONNX, its content is Dots"):
        format_of(tmp_path / "net.onnx")


def test_a_format_that_takes_anothers_name_is_refused(install: Install) -> None:
    install(FOREIGN, {GROUP: {"onnx": "foreign:Dots"}})
    with pytest.raises(ConfigError, match="already in use"):
        formats()


def test_a_file_of_no_format_is_told_with_those_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "net.caffemodel").write_bytes(b"1234")
    for name, told in (("net.caffemodel", "no known format"), ("none.pb", "no such file")):
        with pytest.raises(WorkloadError, match=f"(?s){told}.*ONNX .*TFLite"):
            load_network(tmp_path / name)
