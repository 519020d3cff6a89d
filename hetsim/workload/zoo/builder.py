"""A small writer of ONNX networks without weights.

A weight is a ConstantOfShape of its shape, as in the stripped models of the onnx package: the
file stays tiny, passes ``onnx.checker`` and runs as it is.
:func:`hetsim.workload.zoo.with_random_weights` puts real tensors in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

OPSET = 17
IR_VERSION = 8

Size = int | tuple[int, ...]
"""Of a window: one number for every dimension, or one for each."""


class NetworkBuilder:
    """Appends operators; each method takes tensor names and returns the new tensor's name.

    ``channels`` remembers the channel count of every tensor built here, so that callers state
    only what a layer adds; of tokens (batch, tokens, width) it is the width.
    """

    def __init__(
        self, name: str, input_shape: Sequence[int], input_type: int = TensorProto.FLOAT
    ) -> None:
        self.name = name
        self.input = "input"
        self.channels: dict[str, int] = {}
        self._rank = len(input_shape) - 2
        self._inputs: list[ValueInfoProto] = []
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self.further_input(self.input, input_shape, input_type)

    def further_input(
        self, name: str, shape: Sequence[int], elem_type: int = TensorProto.FLOAT
    ) -> str:
        """Another input of the network."""
        self._inputs.append(helper.make_tensor_value_info(name, elem_type, list(shape)))
        self.channels[name] = shape[1]
        return name

    def _sizes(self, size: Size) -> list[int]:
        return list(size) if isinstance(size, tuple) else [size] * self._rank

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

    def floats(self, name: str, values: Sequence[float]) -> str:
        """A float32 constant vector whose content matters, e.g. the scales of a Resize."""
        self._constants.append(
            helper.make_tensor(name, TensorProto.FLOAT, [len(values)], list(values))
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

    def split(self, name: str, source: str, parts: Sequence[int], axis: int = 1) -> list[str]:
        """``source`` cut into ``parts`` along ``axis``, whose sizes they are."""
        outputs = [f"{name}.out{i}" for i in range(len(parts))]
        sizes = self.integers(f"{name}.sizes", parts)
        self._nodes.append(
            helper.make_node("Split", [source, sizes], outputs, name=name, axis=axis)
        )
        along = axis == 1
        self.channels.update(
            (t, size if along else self.channels[source])
            for t, size in zip(outputs, parts, strict=True)
        )
        return outputs

    def reshape(self, name: str, source: str, shape: Sequence[int], channels: int = 0) -> str:
        """The same elements in another shape."""
        return self.add("Reshape", name, [source, self.integers(f"{name}.shape", shape)], channels)

    def transpose(self, name: str, source: str, order: Sequence[int]) -> str:
        """Dimensions in another order; ``channels`` stay what they are."""
        return self.add("Transpose", name, [source], perm=list(order))

    def conv(
        self,
        name: str,
        source: str,
        out_channels: int,
        kernel: Size,
        *,
        stride: Size = 1,
        padding: Size = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        """A convolution over as many dimensions as the input has beside batch and channels."""
        sizes, strides, pads = self._sizes(kernel), self._sizes(stride), self._sizes(padding)
        shape = (out_channels, self.channels[source] // groups, *sizes)
        inputs = [source, self.weight(f"{name}.weight", shape)]
        if bias:
            inputs.append(self.weight(f"{name}.bias", (out_channels,)))
        return self.add(
            "Conv",
            name,
            inputs,
            out_channels,
            kernel_shape=sizes,
            strides=strides,
            pads=[*pads, *pads],
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
        stride: Size = 1,
        padding: Size = 0,
        groups: int = 1,
        bias: bool = False,
        activation: str = "Relu",
    ) -> str:
        """Convolution, batch normalisation and :meth:`activation`."""
        result = self.conv(
            f"{name}.conv", source, out_channels, kernel,
            stride=stride, padding=padding, groups=groups, bias=bias,
        )  # fmt: skip
        return self.activation(name, self.batch_norm(f"{name}.bn", result), activation)

    def activation(self, name: str, source: str, kind: str) -> str:
        """``kind`` behind ``name``: an operator, ``Clip`` (to 6), ``Swish``, or nothing at all.

        Exporters write a swish as Sigmoid and Mul.
        """
        if kind == "Clip":
            bounds = [self.weight(f"{name}.min", (), 0.0), self.weight(f"{name}.max", (), 6.0)]
            return self.add("Clip", f"{name}.relu6", [source, *bounds])
        if kind == "Swish":
            gate = self.add("Sigmoid", f"{name}.sigmoid", [source])
            return self.add("Mul", f"{name}.swish", [source, gate])
        return self.add(kind, f"{name}.{kind.lower()}", [source]) if kind else source

    def squeeze_excite(
        self, name: str, source: str, squeezed: int, kind: str = "Relu", gate: str = "Sigmoid"
    ) -> str:
        """Channels weighed by two 1x1 convolutions of their means (Hu et al., CVPR 2018)."""
        means = self.add("GlobalAveragePool", f"{name}.pool", [source])
        means = self.conv(f"{name}.reduce", means, squeezed, 1, bias=True)
        means = self.activation(f"{name}.reduce", means, kind)
        means = self.conv(f"{name}.expand", means, self.channels[source], 1, bias=True)
        factors = self.add(gate, f"{name}.gate", [means])
        return self.add("Mul", f"{name}.scale", [source, factors])

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

    def classifier(self, source: str, classes: int = 1000) -> str:
        """Global average pooling, flattening and one fully connected layer with bias."""
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

    def finish(
        self,
        result: str,
        output_shape: Sequence[int],
        further: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> ModelProto:
        """The model that yields ``result`` of ``output_shape``, passed by ``onnx.checker``.

        ``further``: other results and their shapes.
        """
        info = helper.make_tensor_value_info
        self._nodes.append(helper.make_node("Identity", [result], ["output"], name="output"))
        graph = helper.make_graph(
            self._nodes,
            self.name,
            self._inputs,
            [
                info(name, TensorProto.FLOAT, list(shape))
                for name, shape in {"output": output_shape, **further}.items()
            ],
            initializer=self._constants,
        )
        model = helper.make_model(
            graph, producer_name="hetsim", opset_imports=[helper.make_opsetid("", OPSET)]
        )
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model
