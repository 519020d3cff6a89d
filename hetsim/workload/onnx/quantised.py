"""Quantised networks as runtimes run them: integers in, integers out, one operator each.

Files spell quantisation in three ways, and all become plain operators that compute in integers:

* *QDQ*: ``DequantizeLinear -> Conv -> QuantizeLinear`` is a Conv that reads, computes and writes
  integers, as in ONNX Runtime's QDQ transformers, TFLite's delegates and NPU compilers.
* *QOperator*: QLinearConv and its like are what such a Conv is called in a file.
* *dynamic*: MatMulInteger, the Cast behind it and the products with the scales are one MatMul that
  writes floats (ONNX Runtime's MatMulIntegerToFloat); DynamicQuantizeLinear before it stays.

A QuantizeLinear or DequantizeLinear that is left converts a tensor where precision really changes,
and costs that. An operator folds only when all it reads was quantised and all it makes is; an
activation function may stand between it and its QuantizeLinear. Requantisation is part of storing a
result, as bias and activation are, and costs nothing beside it: NPUs do it on the way out of their
accumulators, and on CPUs it is some four operations where a product took hundreds.

Whether an integer is signed is a matter of its zero point, not of the arithmetic: quantised tensors
are called int8, int16 and int4 here, whichever sign the file chose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from onnx import TensorProto

from hetsim.workload.costing import PLAIN, RULES
from hetsim.workload.onnx.ir import Net, Node, Value

SIGNED: Mapping[int, int] = {
    TensorProto.UINT8: TensorProto.INT8,
    TensorProto.UINT16: TensorProto.INT16,
    TensorProto.UINT4: TensorProto.INT4,
}
_INTEGERS = frozenset({TensorProto.INT8, TensorProto.INT16, TensorProto.INT4, *SIGNED})
_STORED = frozenset({"int8", "uint8", "int16", "uint16", "int4", "uint4", "int32"})

ACTIVATIONS = frozenset(
    {"Relu", "Clip", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh",
     "Swish", "Silu", "Gelu", "Mish"}
)  # fmt: skip
"""May stand between a quantised operator and the QuantizeLinear of its result."""

FLOAT_RESULT = frozenset({"MatMul", "Gemm"})
"""Compute in integers even where nobody quantises the result again: accumulators are scaled."""

INTEGER_KINDS = ACTIVATIONS | FLOAT_RESULT | frozenset(
    {
        "Conv", "ConvTranspose",
        "Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Abs", "Neg", "Sqrt", "Exp", "Log",
        "Pow", "Softmax", "LogSoftmax", "LayerNormalization", "InstanceNormalization",
        "BatchNormalization", "RMSNormalization", "LpNormalization",
        "AveragePool", "GlobalAveragePool", "MaxPool", "GlobalMaxPool", "LpPool",
        "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ArgMax", "ArgMin", "TopK",
        "Resize", "Upsample", "Concat", "Split", "Slice", "Gather", "GatherElements", "Transpose",
        "Pad", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "Where",
    }
)  # fmt: skip
"""Kinds with integer kernels: ONNX Runtime's QDQ selectors and quantisers, TFLite's built-ins."""

_WHOLE_RESULTS = frozenset({"ArgMax", "ArgMin"})
"""Their results are positions, which nobody quantises."""


def plain_kinds(net: Net) -> None:
    """Calls QOperator nodes by the kind they compute, without scales and zero points."""
    nodes: list[Node] = []
    for node in net.nodes:
        if node.kind == "DynamicQuantizeMatMul":
            nodes.append(_quantiser_of(net, node))
        plain = PLAIN.get(node.kind)
        if plain is not None:
            node.inputs = [t for t in plain.data(node.inputs) if t]
            node.kind, node.domain = plain.kind, ""
            for tensor in (*node.inputs, *node.outputs):
                _sign(net.values.get(tensor))
        nodes.append(node)
    net.nodes = nodes


def _quantiser_of(net: Net, node: Node) -> Node:
    """The DynamicQuantizeLinear that a DynamicQuantizeMatMul begins with."""
    source, name = net.values[node.inputs[0]], f"{node.name}/quantise"
    made = Value(f"{name}/y", source.shape, TensorProto.INT8)
    net.values[made.name] = made
    node.inputs[0] = made.name
    net.absorbed[name] = node.name
    return Node(name, "DynamicQuantizeLinear", "", [source.name], [made.name], {}, node.proto)


def fold_quantised(net: Net, alias: dict[str, str]) -> None:
    """Folds QuantizeLinear and DequantizeLinear into the operators they surround.

    ``alias`` (of :func:`~hetsim.workload.onnx.views.remove_views`) gains the tensors that vanish.
    Linear in the number of nodes, times the longest chain of activation functions.
    """
    _fold_dynamic(net, alias)
    if not any(node.kind in ("QuantizeLinear", "DequantizeLinear") for node in net.nodes):
        _note(net)
        return
    _Folding(net, alias).run()
    _note(net)


class _Folding:
    """One network under folding. Tensors are named by what is underneath their views."""

    def __init__(self, net: Net, alias: dict[str, str]) -> None:
        self.net, self.alias = net, alias
        self.outputs = set(net.outputs)
        self.readers: dict[str, list[Node]] = {}
        self.producer: dict[str, Node] = {}
        for node in net.nodes:
            for tensor in dict.fromkeys(self.real(t) for t in node.inputs if t):
                self.readers.setdefault(tensor, []).append(node)
            self.producer.update((t, node) for t in node.outputs if t)

    def real(self, tensor: str) -> str:
        return self.alias.get(tensor, tensor)

    def run(self) -> None:
        folded = {id(n): n for n in self.net.nodes if n.kind in INTEGER_KINDS and not n.domain}
        while wrong := [n for n in folded.values() if not self._fits(n, folded)]:
            for node in wrong:
                del folded[id(node)]
        gone: set[int] = set()
        for node in self.net.nodes:
            if id(node) in folded:
                gone.update(self._fold(node, folded))
        gone.update(self._pairs(gone))
        for node in reversed(self.net.nodes):  # whose readers have all folded
            if node.kind == "DequantizeLinear" and not self._is_read(node.outputs[0], gone):
                gone.add(id(node))
                readers = self.readers.get(node.outputs[0], [])
                taken = next((reader for reader in readers if id(reader) not in gone), None)
                if taken is not None:
                    self.net.absorbed[node.name] = taken.name
        self.net.nodes = [node for node in self.net.nodes if id(node) not in gone]
        for name, below in self.alias.items():
            while below in self.alias:
                below = self.alias[below]
            self.alias[name] = below
        self.net.outputs = list(dict.fromkeys(self.real(t) for t in self.net.outputs))

    def _fits(self, node: Node, folded: dict[int, Node]) -> bool:
        """Whether ``node`` reads and makes nothing but integers, given what else folds."""
        control = RULES[node.kind].control
        activations = 0
        for position, tensor in enumerate(node.inputs):
            if not tensor or (node.kind == "Where" and position == 0):
                continue
            value = self.net.values[tensor]
            if value.constant:
                bias = position == 2 and node.kind in ("Conv", "ConvTranspose", "Gemm")
                whole = value.elem_type not in _FLOATS or value.stored in _STORED
                if not (position in control or bias or whole):
                    return False
                continue
            if value.elem_type not in _FLOATS:  # indices of a Gather, say
                continue
            before = self.producer.get(self.real(tensor))
            if before is None:
                return False
            chained = node.kind in ACTIVATIONS and id(before) in folded
            if not (before.kind == "DequantizeLinear" or chained):
                return False
            activations += 1
        return activations > 0 and all(
            self._leaves_whole(node, t, folded) for t in node.outputs if t
        )

    def _leaves_whole(self, node: Node, tensor: str, folded: dict[int, Node]) -> bool:
        if self.net.values[tensor].elem_type not in _FLOATS or node.kind in _WHOLE_RESULTS:
            return True
        readers = self.readers.get(tensor, [])
        if tensor not in self.outputs and readers:
            if all(reader.kind == "QuantizeLinear" for reader in readers):
                return True
            if len(readers) == 1 and readers[0].kind in ACTIVATIONS and id(readers[0]) in folded:
                return True
        return node.kind in FLOAT_RESULT

    def _fold(self, node: Node, folded: dict[int, Node]) -> Iterable[int]:
        """Gives ``node`` the integers behind what it reads and makes; yields what goes."""
        values = self.net.values
        for position, tensor in enumerate(node.inputs):
            if not tensor or values[tensor].constant:
                continue
            before = self.producer.get(self.real(tensor))
            if before is None or before.kind != "DequantizeLinear":
                continue
            source = before.inputs[0]
            _sign(values[source])
            if tensor == self.real(tensor):
                node.inputs[position] = source
            else:  # a view of the floats: now one of the integers
                seen = values[tensor]
                view = Value(f"{tensor}/quantised", seen.shape, values[source].elem_type)
                values[view.name] = view
                self.alias[view.name] = self.real(source)
                node.inputs[position] = view.name
        kind = values[node.inputs[1 if node.kind == "Where" else 0]].elem_type
        for position, tensor in enumerate(node.outputs):
            readers = self.readers.get(tensor, []) if tensor else []
            quantisers = [reader for reader in readers if reader.kind == "QuantizeLinear"]
            if quantisers and len(quantisers) == len(readers):
                first = quantisers[0]
                kind = values[first.outputs[0]].elem_type
                values[tensor].elem_type = SIGNED.get(kind, kind)
                made = tensor
                if first.inputs[0] == tensor:  # the integers have a name in the file
                    made = node.outputs[position] = first.outputs[0]
                    self.alias[tensor] = made
                    _sign(values[made])
                for quantiser in quantisers:
                    if self._same_scale(first, quantiser):
                        if quantiser.outputs[0] != made:
                            self.alias[quantiser.outputs[0]] = made
                        self.net.absorbed[quantiser.name] = node.name
                        yield id(quantiser)
            elif any(id(reader) in folded for reader in readers) and tensor not in self.outputs:
                values[tensor].elem_type = SIGNED.get(kind, kind)

    def _pairs(self, gone: set[int]) -> Iterable[int]:
        """A DequantizeLinear and the QuantizeLinear behind it that undoes it: a view."""
        for node in self.net.nodes:
            if node.kind != "QuantizeLinear" or id(node) in gone:
                continue
            _sign(self.net.values[node.outputs[0]])
            before = self.producer.get(self.real(node.inputs[0]))
            if before is None or before.kind != "DequantizeLinear":
                continue
            source = before.inputs[0]
            _sign(self.net.values[source])
            if self._same_scale(before, node):
                self.alias[node.outputs[0]] = source
                yield id(node)
            else:  # one step from integers to integers
                node.inputs[0] = source

    def _same_scale(self, one: Node, other: Node) -> bool:
        for a, b in zip(one.inputs[1:], other.inputs[1:], strict=False):
            if a == b:
                continue
            left, right = (self.net.values[t].data if t else None for t in (a, b))
            if left is None or right is None or left.tolist() != right.tolist():
                return False
        return True

    def _is_read(self, tensor: str, gone: set[int]) -> bool:
        """Whether anybody who stays still reads ``tensor`` itself or through a view."""
        if tensor in self.outputs:
            return True
        return any(
            self.real(name) == tensor
            for reader in self.readers.get(tensor, [])
            if id(reader) not in gone
            for name in reader.inputs
            if name
        )


_FLOATS = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
)


def _sign(value: Value | None) -> None:
    """Calls a quantised tensor by the signed type of its width."""
    if value is not None:
        value.elem_type = SIGNED.get(value.elem_type, value.elem_type)


def _fold_dynamic(net: Net, alias: dict[str, str]) -> None:
    """Gives integer products the float result that Cast and Mul make of their accumulators."""
    readers: dict[str, list[Node]] = {}
    producer: dict[str, Node] = {}
    for node in net.nodes:
        for tensor in dict.fromkeys(alias.get(t, t) for t in node.inputs if t):
            readers.setdefault(tensor, []).append(node)
        producer.update((t, node) for t in node.outputs if t)
    outputs = set(net.outputs)
    gone: set[int] = set()

    def sole_reader(tensor: str, kind: str) -> Node | None:
        found = readers.get(tensor, [])
        fits = len(found) == 1 and found[0].kind == kind and tensor not in outputs
        return found[0] if fits else None

    for node in net.nodes:
        if node.kind not in ("MatMul", "Conv") or node.domain:
            continue
        if net.values[node.outputs[0]].elem_type != TensorProto.INT32:
            continue
        cast = sole_reader(node.outputs[0], "Cast")
        scale = sole_reader(cast.outputs[0], "Mul") if cast else None
        if cast is None or scale is None:
            continue
        other = next((t for t in scale.inputs if alias.get(t, t) != cast.outputs[0]), "")
        maker = producer.get(alias.get(other, other))
        scales = maker if maker and maker.kind == "Mul" else None
        known = net.values[other].constant if other else False
        if scales is not None and sole_reader(scales.outputs[0], "Mul") is scale:
            gone.add(id(scales))
            net.absorbed[scales.name] = node.name
        elif not known and (maker is None or maker.kind != "DynamicQuantizeLinear"):
            continue
        node.outputs = [scale.outputs[0]]
        for part in (cast, scale):
            gone.add(id(part))
            net.absorbed[part.name] = node.name
    if gone:
        net.nodes = [node for node in net.nodes if id(node) not in gone]


def _note(net: Net) -> None:
    """Says how much computes in integers, and what converts beside it."""
    whole = Counter(
        net.values[node.inputs[0]].dtype
        for node in net.nodes
        if node.kind in INTEGER_KINDS and node.inputs and node.inputs[0]
        and net.values[node.inputs[0]].elem_type in _INTEGERS
    )  # fmt: skip
    kinds = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
    left = Counter(node.kind for node in net.nodes if node.kind in kinds)
    if not whole and not left:
        return
    computing = ", ".join(f"{count} operators compute in {name}" for name, count in whole.items())
    staying = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
    net.notes.append(
        f"quantised: {computing or 'no operator computes in integers'}"
        + (f"; {staying} stay as conversions" if staying else "")
    )
