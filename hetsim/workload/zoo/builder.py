"""A small writer of ONNX networks without weights.

A weight is a ConstantOfShape of its shape, as in the stripped models of the onnx package: the
file stays tiny, passes ``onnx.checker`` and runs as it is.
:func:`hetsim.workload.zoo.with_random_weights` puts real tensors in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

OPSET = 17
IR_VERSION = 8

Size = int | tuple[int, int]


def _pair(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


class NetworkBuilder:
    """Appends operators; each method takes tensor names and returns the new tensor's name.

    ``channels`` remembers the channel count of every tensor built here, so that callers state
    only what a layer adds.
    """

    def __init__(self, name: str, input_shape: Sequence[int]) -> None:
        self.name = name
        self.input = "input"
        self.channels: dict[str, int] = {self.input: input_shape[1]}
        self._input_shape = list(input_shape)
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def weight(self, name: str, shape: Sequence[int], value: float = 0.0) -> str:
        """A float32 weight of ``shape`` filled with ``value``."""
        dims = f"{name}.shape"
        self._constants.append(helper.make_tensor(dims, TensorProto.INT64, [len(shape)], shape))
        fill = helper.make_tensor("value", TensorProto.FLOAT, [1], [value])
        self._nodes.append(
            helper.make_node("ConstantOfShape", [dims], [name], name=f"{name}.fill", value=fill)
        )
        return name

    def integers(self, name: str, values: Sequence[int]) -> str:
        """An int64 constant vector, e.g. a target shape."""
        self._constants.append(
            helper.make_tensor(name, TensorProto.INT64, [len(values)], list(values))
        )
        return name

    def add(
        self, kind: str, name: str, inputs: Sequence[str], channels: int = 0, **attributes: Any
    ) -> str:
        """Any operator with one result; ``channels`` of the result default to the first input's."""
        output = f"{name}.out"
        self._nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        self.channels[output] = channels or self.channels.get(inputs[0], 0)
        return output

    def conv(
        self,
        name: str,
        source: str,
        out_channels: int,
        kernel: Size,
        *,
        stride: int = 1,
        padding: Size = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        """A two-dimensional convolution."""
        (k_h, k_w), (p_h, p_w) = _pair(kernel), _pair(padding)
        shape = (out_channels, self.channels[source] // groups, k_h, k_w)
        inputs = [source, self.weight(f"{name}.weight", shape)]
        if bias:
            inputs.append(self.weight(f"{name}.bias", (out_channels,)))
        return self.add(
            "Conv",
            name,
            inputs,
            out_channels,
            kernel_shape=[k_h, k_w],
            strides=[stride, stride],
            pads=[p_h, p_w, p_h, p_w],
            group=groups,
        )

    def batch_norm(self, name: str, source: str, epsilon: float = 1e-5) -> str:
        """A BatchNormalization over the source's channels."""
        shape = (self.channels[source],)
        parameters = [
            self.weight(f"{name}.{part}", shape, value)
            for part, value in (("weight", 1.0), ("bias", 0.0), ("mean", 0.0), ("var", 1.0))
        ]
        return self.add("BatchNormalization", name, [source, *parameters], epsilon=epsilon)

    def conv_bn(
        self,
        name: str,
        source: str,
        out_channels: int,
        kernel: Size,
        *,
        stride: int = 1,
        padding: Size = 0,
        groups: int = 1,
        activation: str = "Relu",
    ) -> str:
        """Convolution, batch normalisation and activation (``Relu``, ``Clip`` to 6, or none)."""
        result = self.conv(
            f"{name}.conv", source, out_channels, kernel,
            stride=stride, padding=padding, groups=groups,
        )  # fmt: skip
        result = self.batch_norm(f"{name}.bn", result)
        if activation == "Clip":
            bounds = [self.weight(f"{name}.min", (), 0.0), self.weight(f"{name}.max", (), 6.0)]
            return self.add("Clip", f"{name}.relu6", [result, *bounds])
        return self.relu(f"{name}.relu", result) if activation else result

    def relu(self, name: str, source: str) -> str:
        """A rectifier."""
        return self.add("Relu", name, [source])

    def pool(
        self,
        kind: str,
        name: str,
        source: str,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        ceil_mode: bool = False,
    ) -> str:
        """``MaxPool`` or ``AveragePool`` with a square window."""
        extra = {"count_include_pad": 1} if kind == "AveragePool" and padding else {}
        return self.add(
            kind,
            name,
            [source],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[padding] * 4,
            ceil_mode=int(ceil_mode),
            **extra,
        )

    def concat(self, name: str, sources: Sequence[str], axis: int = 1) -> str:
        """Concatenation; along the channels by default."""
        total = sum(self.channels[source] for source in sources)
        return self.add("Concat", name, sources, total, axis=axis)

    def classifier(self, source: str, classes: int = 1000, *, pool: bool = True) -> str:
        """Global average pooling, flattening and one fully connected layer with bias."""
        if pool:
            source = self.add("GlobalAveragePool", "avgpool", [source])
        source = self.add("Flatten", "flatten", [source], axis=1)
        return self.linear("fc", source, classes)

    def linear(self, name: str, source: str, out_features: int) -> str:
        """A fully connected layer on (batch, features), with bias."""
        features = self.channels[source]
        inputs = [
            source,
            self.weight(f"{name}.weight", (out_features, features)),
            self.weight(f"{name}.bias", (out_features,)),
        ]
        return self.add("Gemm", name, inputs, out_features, transB=1)

    def finish(self, result: str, output_shape: Sequence[int]) -> ModelProto:
        """The model that yields ``result`` of ``output_shape``, passed by ``onnx.checker``."""
        info = helper.make_tensor_value_info
        self._nodes.append(helper.make_node("Identity", [result], ["output"], name="output"))
        graph = helper.make_graph(
            self._nodes,
            self.name,
            [info(self.input, TensorProto.FLOAT, self._input_shape)],
            [info("output", TensorProto.FLOAT, list(output_shape))],
            initializer=self._constants,
        )
        model = helper.make_model(
            graph, producer_name="hetsim", opset_imports=[helper.make_opsetid("", OPSET)]
        )
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model
