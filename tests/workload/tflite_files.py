"""Small TFLite files, built with the accessors of the package ``tflite``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tflite = pytest.importorskip("tflite")
flatbuffers = pytest.importorskip("flatbuffers")

TYPES = {"float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8", "int32": "INT32",
         "uint8": "UINT8", "resource": "RESOURCE"}  # fmt: skip


@dataclass
class Op:
    """An operator by names of tensors; ``options`` are a table of the schema and its fields."""

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    table: str = ""
    options: Mapping[str, int] = field(default_factory=dict)


def conv(*names: str, kind: str = "CONV_2D", **options: Any) -> Op:
    """A convolution or pool over ``names[:-1]`` that makes ``names[-1]``."""
    tables = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
              "TRANSPOSE_CONV": "TransposeConvOptions"}  # fmt: skip
    fields = {"StrideW": 1, "StrideH": 1, "Padding": tflite.Padding.SAME, **options}
    return Op(kind, names[:-1], names[-1:], tables.get(kind, "Pool2DOptions"), fields)


def tflite_bytes(
    ops: Sequence[Op],
    computed: Mapping[str, Sequence[int]],
    constants: Mapping[str, np.ndarray] | None = None,
    *,
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[str] = ("y",),
    dtypes: Mapping[str, str] | None = None,
    open_batch: bool = False,
    version: int = 3,
    more_subgraphs: int = 0,
) -> bytes:
    """A model of one subgraph. ``computed`` are shapes of activations, float32 unless said."""
    builder = flatbuffers.Builder(1024)
    constants = constants or {}
    names = [*computed, *constants]

    def vector(start: Any, items: Sequence[int], put: Any) -> int:
        start(builder, len(items))
        for item in reversed(items):
            put(item)
        return builder.EndVector()

    buffers = []
    for raw in (b"", *(array.tobytes() for array in constants.values())):
        data = builder.CreateByteVector(raw) if raw else 0
        tflite.BufferStart(builder)
        if raw:
            tflite.BufferAddData(builder, data)
        buffers.append(tflite.BufferEnd(builder))
    tensors = []
    for name in names:
        fixed = name in constants
        shape = constants[name].shape if fixed else computed[name]
        dtype = str(constants[name].dtype) if fixed else (dtypes or {}).get(name, "float32")
        text = builder.CreateString(name)
        dims = vector(tflite.TensorStartShapeVector, shape, builder.PrependInt32)
        signature = 0
        if open_batch and not fixed:
            opened = [-1, *shape[1:]]
            signature = vector(tflite.TensorStartShapeSignatureVector, opened, builder.PrependInt32)
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, text)
        tflite.TensorAddShape(builder, dims)
        tflite.TensorAddType(builder, getattr(tflite.TensorType, TYPES[dtype]))
        tflite.TensorAddBuffer(builder, 1 + list(constants).index(name) if fixed else 0)
        if signature:
            tflite.TensorAddShapeSignature(builder, signature)
        tensors.append(tflite.TensorEnd(builder))
    kinds = list(dict.fromkeys(op.kind for op in ops))
    codes, made = [], []
    for kind in kinds:
        number = getattr(tflite.BuiltinOperator, kind, None)
        custom = builder.CreateString(kind) if number is None else 0
        number = tflite.BuiltinOperator.CUSTOM if number is None else number
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
        tflite.OperatorCodeAddBuiltinCode(builder, number)
        if custom:
            tflite.OperatorCodeAddCustomCode(builder, custom)
        codes.append(tflite.OperatorCodeEnd(builder))
    for op in ops:
        options = 0
        if op.table:
            getattr(tflite, f"{op.table}Start")(builder)
            for key, value in op.options.items():
                getattr(tflite, f"{op.table}Add{key}")(builder, value)
            options = getattr(tflite, f"{op.table}End")(builder)
        positions = [[names.index(t) if t else -1 for t in group]
                     for group in (op.inputs, op.outputs)]  # fmt: skip
        read = vector(tflite.OperatorStartInputsVector, positions[0], builder.PrependInt32)
        written = vector(tflite.OperatorStartOutputsVector, positions[1], builder.PrependInt32)
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, kinds.index(op.kind))
        tflite.OperatorAddInputs(builder, read)
        tflite.OperatorAddOutputs(builder, written)
        if op.table:
            tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, op.table))
            tflite.OperatorAddBuiltinOptions(builder, options)
        made.append(tflite.OperatorEnd(builder))
    offsets = builder.PrependUOffsetTRelative
    parts = {
        "Tensors": vector(tflite.SubGraphStartTensorsVector, tensors, offsets),
        "Inputs": vector(tflite.SubGraphStartInputsVector, [names.index(t) for t in inputs],
                         builder.PrependInt32),
        "Outputs": vector(tflite.SubGraphStartOutputsVector, [names.index(t) for t in outputs],
                          builder.PrependInt32),
        "Operators": vector(tflite.SubGraphStartOperatorsVector, made, offsets),
    }  # fmt: skip
    tflite.SubGraphStart(builder)
    for key, value in parts.items():
        getattr(tflite, f"SubGraphAdd{key}")(builder, value)
    graph = tflite.SubGraphEnd(builder)
    graphs = vector(tflite.ModelStartSubgraphsVector, [graph] * (1 + more_subgraphs), offsets)
    all_codes = vector(tflite.ModelStartOperatorCodesVector, codes, offsets)
    all_buffers = vector(tflite.ModelStartBuffersVector, buffers, offsets)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, version)
    tflite.ModelAddOperatorCodes(builder, all_codes)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, all_buffers)
    builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def small_network(kind: str = "float32", **options: Any) -> bytes:
    """conv 3x3/2 with ReLU6, depthwise 3x3 with two filters a channel, mean, FC, softmax."""
    weights = {"float32": np.float32, "int8": np.int8}[kind]
    biases = {"float32": np.float32, "int8": np.int32}[kind]
    relu6 = tflite.ActivationFunctionType.RELU6
    shapes = {"x": (1, 9, 8, 3), "a": (1, 5, 4, 4), "b": (1, 3, 2, 8), "m": (1, 8), "z": (1, 10),
              "y": (1, 10)}  # fmt: skip
    return tflite_bytes(
        [
            conv("x", "w1", "b1", "a", StrideH=2, StrideW=2, FusedActivationFunction=relu6),
            conv("a", "w2", "b2", "b", kind="DEPTHWISE_CONV_2D", Padding=tflite.Padding.VALID,
                 DepthMultiplier=2),
            Op("MEAN", ("b", "axes"), ("m",), "ReducerOptions", {"KeepDims": False}),
            Op("FULLY_CONNECTED", ("m", "w3", "b3"), ("z",), "FullyConnectedOptions"),
            Op("SOFTMAX", ("z",), ("y",), "SoftmaxOptions"),
        ],
        shapes,
        {
            "w1": np.ones((4, 3, 3, 3), weights), "b1": np.ones(4, biases),
            "w2": np.ones((1, 3, 3, 8), weights), "b2": np.ones(8, biases),
            "w3": np.ones((10, 8), weights), "b3": np.ones(10, biases),
            "axes": np.array([1, 2], np.int32),
        },
        dtypes=dict.fromkeys(shapes, kind),
        **options,
    )  # fmt: skip


def saved(content: bytes, folder: Path, name: str = "net.tflite") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
