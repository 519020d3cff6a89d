"""Operators of a runtime's own in terms of plain ones, right after their shapes are known.

ONNX Runtime's optimiser writes ``FusedConv`` where a file said Conv and Relu. Which operators run
as one kernel is for the unit that runs them to say (``fuse: [Conv-Relu]``), and what a unit
supports is stated by plain kinds; so the same network gives the same operators here, whatever tool
wrote the file. What runtimes really compute as one thing (attention) stays one.

One :func:`plain` adds a kind: a function that gets a :class:`Rewriter` and returns the nodes that
stand for one node. The one that computes most keeps the node's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onnx import TensorProto

from hetsim.workload.onnx.ir import Net, Node, Value
from hetsim.workload.onnx.shaping.contrib import matmul_operands

NORMALISATIONS = {
    "SkipLayerNormalization": "LayerNormalization",
    "SkipSimplifiedLayerNormalization": "RMSNormalization",
}


@dataclass(frozen=True, slots=True)
class Rewriter:
    """One node to be rewritten, and the means to do it."""

    net: Net
    node: Node

    def has(self, position: int) -> bool:
        """Whether input ``position`` is given."""
        return position < len(self.node.inputs) and bool(self.node.inputs[position])

    def optional(self, *positions: int) -> list[str]:
        """The inputs at ``positions``, empty where they are left out."""
        return [self.node.inputs[p] if self.has(p) else "" for p in positions]

    def head(
        self,
        kind: str,
        inputs: Sequence[str],
        output: str,
        attributes: Mapping[str, object] | None = None,
    ) -> Node:
        """The node that keeps the name, with its own attributes unless others are given."""
        kept = self.node.attributes if attributes is None else attributes
        return Node(self.node.name, kind, "", list(inputs), [output], dict(kept), self.node.proto)

    def step(self, kind: str, inputs: Sequence[str], output: str, **attributes: object) -> Node:
        """Another node, named after this one and its kind."""
        name = self.net.names.unique(f"{self.node.name}/{kind}")
        return Node(name, kind, "", list(inputs), [output], attributes, self.node.proto)

    def between(self, label: str, like: str) -> str:
        """A new tensor inside, shaped and typed like tensor ``like``."""
        known = self.net.values[like]
        name = f"{self.node.name}/{label}"
        self.net.values[name] = Value(name, known.shape, known.elem_type)
        return name

    def constant(self, tensor: str, shape: tuple[int, ...], elem_type: int) -> str:
        """A constant that stands for constant ``tensor`` in another shape or type."""
        old = self.net.values[tensor]
        name = f"{self.node.name}/{tensor}"
        self.net.values[name] = Value(
            name, shape, elem_type, constant=old.constant, root=old.root or old.name
        )
        return name


Rewrite = Callable[[Rewriter], "list[Node]"]

REWRITES: dict[str, Rewrite] = {}
"""What is rewritten, by kind, or by domain and kind where a plain kind means more there."""


INTO: dict[str, str] = {}
"""What each kind is read as, in words."""


def plain(*kinds: str, into: str) -> Callable[[Rewrite], Rewrite]:
    """Registers the decorated function as what makes ``kinds`` plain, which gives ``into``."""

    def register(function: Rewrite) -> Rewrite:
        INTO.update((kind, into) for kind in kinds if into and "." not in kind)
        REWRITES.update(dict.fromkeys(kinds, function))
        return function

    return register


def make_plain(net: Net) -> None:
    """Rewrites the nodes of ``net``, whose shapes are known."""
    made: list[Node] = []
    for node in net.nodes:
        rewrite = REWRITES.get(f"{node.domain}.{node.kind}") or REWRITES.get(node.kind)
        made += [node] if rewrite is None else rewrite(Rewriter(net, node))
    net.nodes = made


# -- products with what was fused behind them -----------------------------------------------------


@plain(
    "FusedConv",
    "NhwcFusedConv",
    "NhwcConv",
    "com.microsoft.nchwc.Conv",
    into="Conv, Add, activation",
)
def _conv(this: Rewriter) -> list[Node]:
    """A convolution, a tensor added to it, and an activation function."""
    node = this.node
    if node.kind.startswith("Nhwc"):
        node.attributes["channels_last"] = 1
    added = this.optional(3)[0]
    steps: list[tuple[str, list[str]]] = [("Add", [added])] if added else []
    return _followed(this, "Conv", node.inputs[:3], steps)


@plain("FusedGemm", into="Gemm, activation")
def _gemm(this: Rewriter) -> list[Node]:
    return _followed(this, "Gemm", this.node.inputs, [])


@plain("FusedMatMul", "FusedMatMulActivation", "TransposeMatMul", into="MatMul, activation")
def _matmul(this: Rewriter) -> list[Node]:
    """A product of operands that are read transposed, scaled on the way out."""
    node, values = this.node, this.net.values
    left, right = (values[t] for t in node.inputs[:2])
    turned = matmul_operands(node.attributes, left, right)
    inputs, views = [], []
    for old, new in zip((left, right), turned, strict=True):
        name = f"{node.name}/{old.name}"
        if new.shape != old.shape:
            new.name, new.root = name, old.root or old.name
            values[name] = new
            if not old.constant:  # read in another order, which moves nothing
                views.append(this.step("Reshape", [old.name], name))
        inputs.append(new.name)
    return views + _followed(this, "MatMul", [*inputs, *node.inputs[2:]], [])


@plain("GemmFastGelu", into="MatMul, Add, Gelu")
def _gemm_gelu(this: Rewriter) -> list[Node]:
    bias = this.optional(2)[0]
    steps = [("Add", [bias])] if bias else []
    this.node.attributes["activation"] = "FastGelu"
    return _followed(this, "MatMul", this.node.inputs[:2], steps)


def _followed(
    this: Rewriter, kind: str, inputs: Sequence[str], steps: list[tuple[str, list[str]]]
) -> list[Node]:
    """The product as ``kind``, then ``steps`` with their other inputs, then the activation."""
    result = this.node.outputs[0]
    activation = str(this.node.attributes.get("activation", ""))
    more: dict[str, object] = {}
    if activation in ("FastGelu", "Gelu"):
        more = {"approximate": "tanh" if activation == "FastGelu" else "none"}
        activation = "Gelu"
    if activation:
        steps = [*steps, (activation, [])]
    if not steps:
        return [this.head(kind, inputs, result)]
    tensors = [this.between(f"{kind}_{i}", result) for i in range(len(steps))] + [result]
    nodes = [this.head(kind, inputs, tensors[0])]
    for (step, others), source, target in zip(steps, tensors, tensors[1:], strict=False):
        given = more if step == "Gelu" else {}
        nodes.append(this.step(step, [source, *others], target, **given))
    return nodes


@plain("MatMulNBits", into="MatMul")
def _matmul_nbits(this: Rewriter) -> list[Node]:
    """A product whose constant is read in four bits an element and used as the input's type."""
    node = this.node
    rows, columns, bits = (int(str(node.attributes.get(n, 4))) for n in ("K", "N", "bits"))
    narrow = {4: TensorProto.UINT4, 8: TensorProto.UINT8}.get(bits)
    if narrow is None:  # of elements that have no type: the bytes as they lie in the file
        return [this.head("MatMul", node.inputs, node.outputs[0])]
    weights = this.constant(node.inputs[1], (rows, columns), narrow)
    inputs = [node.inputs[0], weights, *node.inputs[2:]]
    return [this.head("MatMul", inputs, node.outputs[0])]


@plain("NhwcMaxPool", into="MaxPool")
def _max_pool(this: Rewriter) -> list[Node]:
    return [this.head("MaxPool", this.node.inputs, this.node.outputs[0])]


# -- activations and norms ------------------------------------------------------------------------


@plain("BiasGelu", "FastGelu", "FusedGelu", into="Add, Gelu")
def _gelu(this: Rewriter) -> list[Node]:
    node = this.node
    form = {"approximate": "tanh" if node.kind == "FastGelu" else "none"}
    if not this.has(1):
        return [this.head("Gelu", node.inputs[:1], node.outputs[0], form)]
    biased = this.between("biased", node.outputs[0])
    added = this.step("Add", node.inputs[:2], biased)
    return [added, this.head("Gelu", [biased], node.outputs[0], form)]


@plain("BiasAdd", into="Add")
def _bias_add(this: Rewriter) -> list[Node]:
    """A bias and another tensor on top of the first."""
    result = this.node.outputs[0]
    biased = this.between("biased", result)
    added = this.step("Add", this.node.inputs[:2], biased)
    return [added, this.head("Add", [biased, *this.node.inputs[2:]], result)]


@plain("QuickGelu", into="Sigmoid, Mul")
def _quick_gelu(this: Rewriter) -> list[Node]:
    """``x * sigmoid(alpha * x)``, which exporters write as Sigmoid and Mul."""
    source, result = this.node.inputs[0], this.node.outputs[0]
    steps, scaled = [], source
    if this.node.attributes.get("alpha", 1.702) != 1.0:
        scaled = this.between("scaled", result)
        steps = [this.step("Mul", [source], scaled)]
    gate = this.between("gate", result)
    return [
        *steps, this.step("Sigmoid", [scaled], gate), this.head("Mul", [source, gate], result)
    ]  # fmt: skip


@plain("SimplifiedLayerNormalization", into="RMSNormalization")
def _rms(this: Rewriter) -> list[Node]:
    return [this.head("RMSNormalization", this.node.inputs, this.node.outputs[0])]


@plain(*NORMALISATIONS, into="Add, LayerNormalization")
def _skip_norm(this: Rewriter) -> list[Node]:
    """The sum of two tensors and a bias, and its norm; both may have readers."""
    node = this.node
    plain_norm = node.kind == "SkipLayerNormalization"
    bias = this.optional(4 if plain_norm else 3)[0]
    kept = node.outputs[3] if len(node.outputs) > 3 else ""
    total = kept or this.between("sum", node.inputs[0])
    nodes = []
    first = node.inputs[0]
    if bias:
        first = this.between("biased", node.inputs[0])
        nodes.append(this.step("Add", [node.inputs[0], bias], first))
    nodes.append(this.step("Add", [first, node.inputs[1]], total))
    parameters = this.optional(2, 3) if plain_norm else this.optional(2)
    norm = this.head(NORMALISATIONS[node.kind], [total, *parameters], node.outputs[0])
    return [*nodes, norm] if node.outputs[0] else nodes


@plain("SkipGroupNorm", into="Add, GroupNorm")
def _skip_group(this: Rewriter) -> list[Node]:
    """The sum of two tensors and a bias, and its norm; both may have readers."""
    node = this.node
    source, scale, shift, skip = node.inputs[:4]
    kept = node.outputs[1] if len(node.outputs) > 1 else ""
    total, nodes = kept or this.between("sum", source), []
    if bias := this.optional(4)[0]:
        biased = this.between("biased", source)
        nodes, source = [this.step("Add", [source, bias], biased)], biased
    nodes.append(this.step("Add", [source, skip], total))
    return [*nodes, this.head("GroupNorm", [total, scale, shift], node.outputs[0])]


@plain("BiasSoftmax", into="Add, Softmax")
def _bias_softmax(this: Rewriter) -> list[Node]:
    node = this.node
    biased = this.between("biased", node.inputs[0])
    added = this.step("Add", node.inputs[:2], biased)
    return [added, this.head("Softmax", [biased], node.outputs[0])]


@plain("EmbedLayerNormalization", into="Gather, Add, LayerNormalization")
def _embedding(this: Rewriter) -> list[Node]:
    """Rows of two or three tables, their sum, its norm."""
    node = this.node
    ids, segments = this.optional(0, 1)
    word, position, segment, scale, shift = this.optional(2, 3, 4, 5, 6)
    places = this.optional(8)[0] or ids
    rows: list[tuple[str, str]] = [(word, ids), (position, places)]
    if segment and segments:
        rows.append((segment, segments))
    result = node.outputs[0]
    nodes: list[Node] = []
    total = ""
    for table, indices in rows:
        picked = this.between(f"rows_{len(nodes)}", result)
        nodes.append(this.step("Gather", [table, indices], picked, axis=0))
        if not total:
            total = picked
            continue
        kept = node.outputs[2] if len(node.outputs) > 2 else ""
        joined = (
            kept if kept and table == rows[-1][0] else this.between(f"sum_{len(nodes)}", result)
        )
        nodes.append(this.step("Add", [total, picked], joined))
        total = joined
    nodes.append(this.head("LayerNormalization", [total, scale, shift], result))
    lengths = node.outputs[1] if len(node.outputs) > 1 else ""
    if lengths and this.has(7):
        nodes.append(this.step("ReduceSum", [node.inputs[7]], lengths))
    return nodes


# -- recurrence and trees -------------------------------------------------------------------------


@plain("DynamicQuantizeLSTM", into="LSTM")
def _lstm(this: Rewriter) -> list[Node]:
    """An LSTM whose weights lie the other way round, as bytes with a scale for each."""
    node, values = this.node, this.net.values
    turned = []
    for tensor in node.inputs[1:3]:
        directions, rows, columns = values[tensor].shape
        elem_type = values[tensor].elem_type
        turned.append(this.constant(tensor, (directions, columns, rows), elem_type))
    inputs = [node.inputs[0], *turned, *node.inputs[3:]]
    made = this.head("LSTM", inputs, node.outputs[0])
    made.outputs = list(node.outputs)
    return [made]


_TABLES = ("nodes_values", "target_weights", "class_weights", "leaf_weights", "nodes_splits")
_LINKS = ("nodes_falsenodeids", "nodes_truenodeids", "nodes_featureids", "leaf_targetids")


@plain("TreeEnsemble", "TreeEnsembleRegressor", "TreeEnsembleClassifier", into="")
def _trees(this: Rewriter) -> list[Node]:
    """The tables of the nodes, which the file holds in attributes, are read like constants."""
    node = this.node
    lengths = {name: len(v) for name, v in node.attributes.items() if isinstance(v, tuple)}
    lengths |= {a.name: a.t.dims[0] for a in node.proto.attribute if a.t.dims}
    inputs = list(node.inputs)
    for label, names, elem_type in (
        ("numbers", _TABLES, TensorProto.FLOAT), ("links", _LINKS, TensorProto.INT64),
    ):  # fmt: skip
        size = sum(lengths.get(name, 0) for name in names)
        if size:
            name = f"{node.name}/{label}"
            this.net.values[name] = Value(name, (size,), elem_type, constant=True)
            inputs.append(name)
    made = Node(
        node.name, node.kind, node.domain, inputs, node.outputs, node.attributes, node.proto
    )
    return [made]
