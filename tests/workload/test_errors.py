"""What a user is told about a network that cannot be used."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from hetsim.errors import HetsimError, WorkloadError
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.zoo import build_model_proto
from tests.workload.samples import ints, model, node, weight

IMAGE = {"x": [1, 8, 6, 6]}


def failure(what: object, **options: object) -> WorkloadError:
    with pytest.raises(WorkloadError) as caught:
        load_onnx(what, **options)  # type: ignore[arg-type]
    assert caught.value.where is not None, "every message names the file"
    return caught.value


def test_missing_file(tmp_path: Path) -> None:
    error = failure(tmp_path / "gone.onnx")
    assert "gone.onnx: there is no such file" in str(error)


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    assert "directory" in str(failure(tmp_path)).lower()


@pytest.mark.parametrize(
    "content", [b"", b"# some text\nname: x\n", b"PK\x03\x04zip", b"\x00" * 64]
)
def test_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    error = failure(path)
    assert str(path) in str(error)
    assert error.hint


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.floats(0, 0.9999))
def test_truncated_at_any_place(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    content = build_model_proto("alexnet").SerializeToString()
    path = tmp_path_factory.mktemp("cut") / "cut.onnx"
    path.write_bytes(content[: int(share * len(content))])
    assert "cut.onnx" in str(failure(path))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_flipped_byte_never_escapes_as_another_exception(place: int, value: int) -> None:
    content = bytearray(build_model_proto("alexnet").SerializeToString())
    content[place % len(content)] = value
    try:
        proto = onnx.ModelProto.FromString(bytes(content))
    except Exception:  # read_model answers for this; tested above
        return
    with contextlib.suppress(HetsimError):
        load_onnx(proto)


def test_empty_and_without_outputs() -> None:
    assert "empty" in str(failure(model([], IMAGE, ["x"])))
    assert "no outputs" in str(failure(model([node("Relu", ["x"], "y")], IMAGE, [])))


def test_only_views_leave_nothing_to_run() -> None:
    assert "no operators to run" in str(
        failure(model([node("Identity", ["x"], "y")], IMAGE, ["y"]))
    )


def test_cycle_names_its_operators() -> None:
    nodes = [
        node("Relu", ["x"], "start"),
        node("Add", ["start", "c"], "a", name="first"),
        node("Neg", ["a"], "b", name="second"),
        node("Exp", ["b"], "c", name="third"),
        node("Abs", ["c"], "y", name="after"),
    ]
    text = str(failure(model(nodes, IMAGE, ["y"])))
    assert "cycle" in text
    assert all(name in text for name in ("first", "second", "third"))
    assert "after" not in text
    own = str(failure(model([node("Add", ["x", "y"], "y", name="me")], IMAGE, ["y"])))
    assert "me -> me" in own


def test_dangling_and_doubled_tensors() -> None:
    assert "'ghost', which nothing produces" in str(
        failure(model([node("Add", ["x", "ghost"], "y")], IMAGE, ["y"]))
    )
    twice = [node("Relu", ["x"], "y", name="one"), node("Neg", ["x"], "y", name="two")]
    assert "produced twice" in str(failure(model(twice, IMAGE, ["y"])))
    assert "'z' is never produced" in str(failure(model([node("Relu", ["x"], "y")], IMAGE, ["z"])))


def test_all_unknown_kinds_are_listed_at_once_with_counts() -> None:
    nodes = [
        node("Strange", ["x"], "a", domain="acme"),
        node("Strange", ["a"], "b", domain="acme"),
        node("Odd", ["b"], "c", domain="acme"),
        node("StringNormalizer", ["c"], "y"),
    ]
    error = failure(model(nodes, IMAGE, ["y"], domains={"acme": 1}))
    assert "acme.Odd (1), acme.Strange (2)" in str(error)
    assert "StringNormalizer (1)" in str(error)
    assert "bandwidth_bound" in str(error)


def test_a_vendor_operator_is_not_taken_for_the_standard_one() -> None:
    proto = model([node("Relu", ["x"], "y", domain="acme")], IMAGE, ["y"], domains={"acme": 1})
    assert "acme.Relu (1)" in str(failure(proto))


def test_unknown_operator_without_a_shape() -> None:
    nodes = [node("Strange", ["x"], "a", domain="acme"), node("Relu", ["a"], "y")]
    error = failure(
        model(nodes, IMAGE, ["y"], domains={"acme": 1}), unknown_operators="bandwidth_bound"
    )
    assert "'a'" in str(error)
    assert "value_info" in str(error)
    assert "max_output: {a: [?]}" in str(error)


def test_unknown_operators_take_shapes_from_the_file_or_the_user() -> None:
    nodes = [node("Strange", ["x"], "a", domain="acme"), node("Relu", ["a"], "y")]
    shapes: dict[str, object] = {"x": ["batch", 8]}
    proto = model(nodes, shapes, ["y"], domains={"acme": 1})  # type: ignore[arg-type]
    how = {"unknown_operators": "bandwidth_bound", "dims": {"batch": 3}}
    stated = load_onnx(proto, max_output={"a": [3, 4]}, **how)  # type: ignore[arg-type]
    assert stated.tensors["y"].shape == (3, 4)
    assert stated.operators[0].macs == 0
    assert "acme.Strange (1)" in " ".join(stated.notes)
    info = helper.make_tensor_value_info("a", TensorProto.FLOAT, ["batch", 5])
    proto.graph.value_info.append(info)
    assert load_onnx(proto, **how).tensors["y"].shape == (3, 5)  # type: ignore[arg-type]


def test_wrong_choice_for_unknown_operators() -> None:
    with pytest.raises(WorkloadError, match="allowed"):
        load_onnx(
            model([node("Relu", ["x"], "y")], IMAGE, ["y"]),
            unknown_operators="ignore",  # type: ignore[arg-type]
        )


def test_data_dependent_shapes() -> None:
    error = failure(model([node("NonZero", ["x"], "y")], IMAGE, ["y"]))
    assert "NonZero (1)" in str(error)
    assert "the data decides" in str(error)
    assert "max_output: {y: N}" in str(error)
    many = [node("NonZero", ["x"], f"y{i}") for i in range(9)]
    text = str(failure(model(many, IMAGE, [f"y{i}" for i in range(9)])))
    assert "max_output: {NonZero: N}" in text


def test_all_open_dimensions_are_listed_at_once_and_bound_by_name() -> None:
    nodes = [node("Add", ["ids", "mask"], "y")]
    proto = model(nodes, {"ids": ["batch", "seq"], "mask": ["batch", "seq"]}, ["y"])
    error = failure(proto)
    assert "'ids' is [batch, seq]" in str(error)
    assert "'mask' is [batch, seq]" in str(error)
    assert "--dim batch=1 --dim seq=128" in str(error)
    assert "dims: {batch: 1, seq: 128}" in str(error)
    graph = load_onnx(proto, dims={"batch": 2, "seq": 7})
    assert graph.tensors["y"].shape == (2, 7)
    image = model([node("Relu", ["x"], "y")], {"x": ["batch", 3, 224, 224]}, ["y"])
    assert load_onnx(image, input_shapes={"x": [2, 3, 224, 224]}).tensors["y"].shape[0] == 2
    assert load_onnx(image, input_shapes={"x": np.array([2, 3, 224, 224])})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("shape", "suggested"),
    [
        (["N", 3, "height", "width"], "--dim N=1 --dim height=224 --dim width=224"),
        ([None, 3, None, None], "--dim x.0=1 --dim x.2=224 --dim x.3=224"),
        ([None, None, None, 3], "--dim x.0=1 --dim x.1=224 --dim x.2=224"),
        (["batch", "mystery", 8, 8], "--dim batch=1 --dim mystery=?"),
        (["batch", "past_len + seq_len"], "--dim batch=1 --dim past_len=128 --dim seq_len=128"),
    ],
)
def test_no_suggestion_that_would_run_and_mean_nothing(shape: list[object], suggested: str) -> None:
    error = failure(model([node("Relu", ["x"], "y")], {"x": shape}, ["y"]))
    assert suggested in str(error)
    assert ("numbers in place of '?'" in str(error)) == ("?" in suggested)


def test_unnamed_dimension_and_missing_shape() -> None:
    proto = model([node("Relu", ["x"], "y")], {"x": [1, None, 4]}, ["y"])
    assert "'x' is [1, x.1, 4]" in str(failure(proto))
    assert load_onnx(proto, dims={"x.1": 6}).tensors["y"].shape == (1, 6, 4)
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    assert "'x' states no shape" in str(failure(proto))
    assert "--input-shape x=" in str(failure(proto))
    assert load_onnx(proto, input_shapes={"x": [1, 2, 4]}).tensors["y"].shape == (1, 2, 4)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"image": [1, 8, 6, 6]}, "did you mean 'images'"),
        ({"zzz": [1, 8, 6, 6]}, "its inputs are: images"),
        ({"images": [1, 8, 6]}, "the file fixes [N, 8, 6, 6]"),
        ({"images": [1, 9, 6, 6]}, "the file fixes [N, 8, 6, 6]"),
        ({"images": [0, 8, 6, 6]}, "positive"),
        ({"images": [1.5, 8, 6, 6]}, "positive"),
        ({"images": [True, 8, 6, 6]}, "positive"),
        ({"images": ["N", 8, 6, 6]}, "positive"),
    ],
)
def test_bad_input_shapes(shapes: dict[str, list[int]], message: str) -> None:
    proto = model([node("Relu", ["images"], "y")], {"images": ["N", 8, 6, 6]}, ["y"])
    assert message in str(failure(proto, input_shapes=shapes))


def test_shapes_that_contradict_each_other_name_the_operator() -> None:
    nodes = [node("Conv", ["x", "w"], "y", name="wrong")]
    error = failure(model(nodes, IMAGE, ["y"], {"w": weight(4, 7, 3, 3)}))
    assert "wrong" in str(error) or "'y'" in str(error)
    added = failure(
        model([node("Add", ["x", "b"], "y", name="bad")], IMAGE, ["y"], {"b": weight(5)})
    )
    assert "'bad'" in str(added)
    assert "[1, 8, 6, 6]" in str(added)


def test_strings_and_other_types() -> None:
    proto = model([node("Relu", ["x"], "y")], {"x": (TensorProto.STRING, [4])}, ["y"])
    assert "string" in str(failure(proto))
    proto = model([node("Relu", ["x"], "y")], {"x": (TensorProto.COMPLEX64, [4])}, ["y"])
    assert "complex64" in str(failure(proto))
    proto = model([node("Cast", ["x"], "y", to=TensorProto.STRING)], IMAGE, ["y"])
    assert "string" in str(failure(proto))


def test_a_shape_in_missing_external_data_is_named(tmp_path: Path) -> None:
    nodes = [node("Reshape", ["x", "s"], "r"), node("Relu", ["r"], "y")]
    path = tmp_path / "net.onnx"
    onnx.save(
        model(nodes, IMAGE, ["y"], {"s": ints(2, -1)}), path,
        save_as_external_data=True, location="weights.bin", size_threshold=0,
    )  # fmt: skip
    (tmp_path / "weights.bin").unlink()
    error = failure(path)
    assert "'s'" in str(error)
    assert "external" in str(error)


def initialised(kind: str, *dims: int, **attributes: object) -> onnx.ModelProto:
    """A product of ``x`` with a constant that claims to have the dimensions ``dims``."""
    net = model([node(kind, ["x", "w"], "y", **attributes)], {"x": [1, 8, 6, 6]}, ["y"])
    if kind != "Conv":
        net = model([node(kind, ["x", "w"], "y", **attributes)], {"x": [4, 8]}, ["y"])
    net.graph.initializer.append(TensorProto(name="w", dims=dims, data_type=TensorProto.FLOAT))
    return net


@pytest.mark.parametrize(
    ("kind", "dims"),
    [
        ("Conv", (-16, 8, 3, 3)), ("Conv", (16, -8, 3, 3)), ("Conv", (16, 8, -3, -3)),
        ("Gemm", (8, -16)), ("Gemm", (-8, -16)), ("MatMul", (8, -5)),
        ("Conv", (2**31, 8, 3, 3)), ("MatMul", (2**62, 2)), ("MatMul", (2**30, 2**30)),
    ],
)  # fmt: skip
def test_a_constant_has_no_impossible_dimension(kind: str, dims: tuple[int, ...]) -> None:
    error = failure(initialised(kind, *dims))
    assert "tensor 'w' has shape" in str(error)
    assert "at least 0 and below 2^31" in str(error)


@pytest.mark.parametrize(
    "attributes",
    [{"group": 0}, {"group": -1}, {"strides": [0, 0]}, {"strides": [-1, -1]}, {"strides": [1]},
     {"pads": [-9, -9, -9, -9]}, {"kernel_shape": [-3, 3]}, {"dilations": [0, -1]}],
)  # fmt: skip
def test_no_attribute_makes_negative_work(attributes: dict[str, object]) -> None:
    net = model(
        [node("Conv", ["x", "w"], "y", **attributes)], IMAGE, ["y"], {"w": weight(4, 8, 3, 3)},
        value_info={"y": [1, 4, 4, 4]},
    )  # fmt: skip
    with contextlib.suppress(WorkloadError):
        graph = load_onnx(net)
        assert all(op.macs >= 0 and op.element_ops >= 0 for op in graph.operators)


@pytest.mark.parametrize("version", [0, -1, 2**31, 2**63 - 1])
def test_no_operator_set_has_such_a_version(version: int) -> None:
    net = model([node("Relu", ["x"], "y")], IMAGE, ["y"])
    net.opset_import[0].version = version
    assert "version" in str(failure(net))


@pytest.mark.parametrize("kind", ["Constant", "Relu"])
def test_an_operator_without_output_is_named(kind: str) -> None:
    net = model([node("Relu", ["x"], "y")], IMAGE, ["y"])
    net.graph.node.append(onnx.NodeProto(op_type=kind, name="silent", input=["x"]))
    if kind == "Constant":
        net.graph.node[-1].attribute.append(helper.make_attribute("value_int", 1))
    assert "'silent'" in str(failure(net))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither links nor pipes for all")
@pytest.mark.parametrize(
    "place", ["../secret", "/ABSOLUTE/secret", "link", "hard", "pipe", "/dev/zero"]
)
def test_weights_beside_a_model_are_read_from_its_own_directory_only(
    tmp_path: Path, place: str
) -> None:
    numbers = np.array([1, 8, 36], dtype=np.int64)
    (tmp_path / "secret").write_bytes(numbers.tobytes())
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret", home / "hard")
    os.mkfifo(home / "pipe")
    (home / "beside").write_bytes(numbers.tobytes())

    def load(location: str) -> None:
        net = model([node("Reshape", ["x", "shape"], "y"), node("Relu", ["y"], "z")], IMAGE, ["z"])
        outside = TensorProto(name="shape", dims=[3], data_type=TensorProto.INT64)
        outside.data_location = TensorProto.EXTERNAL
        outside.external_data.add(key="location", value=location)
        net.graph.initializer.append(outside)
        onnx.save(net, home / "net.onnx")
        load_onnx(home / "net.onnx")

    load("beside")
    with pytest.raises(WorkloadError, match="value of constant 'shape' is not in the file"):
        load(place.replace("/ABSOLUTE", str(tmp_path)))
