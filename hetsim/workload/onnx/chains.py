"""Long chains that compute GELU or a layer normalisation, recognised as the one operator they are.

Exporters write out what an operator set has no name for; ONNX Runtime (GeluFusion, FastGeluFusion,
LayerNormFusion, SimplifiedLayerNormFusion) and OpenVINO (GeluFusion, MVNFusion, RMSFusion) run each
such chain as one kernel. A chain is recognised by what it computes, not by how it is written: from
its Erf, Tanh or Sqrt outwards, a region with one tensor in and one out is evaluated on numbers and
compared with the function. Attention stays the products and the softmax that the file has: of the
two, only a tool that is run on purpose (ONNX Runtime's transformers optimiser) joins these.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.numeric import Array
from hetsim.workload.onnx.ir import Net, Node, Value

FURTHEST = 7
"""Operators between the anchor and either end of a chain."""

_ROWS = np.random.default_rng(0).standard_normal((5, 11))
_SMALL, _LARGE = 2.0 * _ROWS, 30.0 * _ROWS + 5.0
"""Numbers to try: GELU bends near zero; a norm's epsilon vanishes beside large ones."""

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _gelu(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + _erf(x / math.sqrt(2))))


def _tanh_gelu(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


def _layer_norm(x: Array) -> Array:
    return np.asarray((x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True))


def _rms_norm(x: Array) -> Array:
    return np.asarray(x / np.sqrt((x * x).mean(-1, keepdims=True)))


@dataclass(frozen=True)
class _Shape:
    """What a chain may turn out to be; ``affine``: which of scale and shift may follow."""

    kind: str
    function: Callable[[Array], Array]
    sample: Array
    attributes: Mapping[str, object]
    affine: tuple[str, ...] = ()


_KNOWN: Mapping[str, tuple[_Shape, ...]] = {
    "Erf": (_Shape("Gelu", _gelu, _SMALL, {"approximate": "none"}),),
    "Tanh": (_Shape("Gelu", _tanh_gelu, _SMALL, {"approximate": "tanh"}),),
    "Sqrt": (
        _Shape("LayerNormalization", _layer_norm, _LARGE, {"axis": -1}, ("Mul", "Add")),
        _Shape("RMSNormalization", _rms_norm, _LARGE, {"axis": -1}, ("Mul",)),
    ),
}
"""By the kind of the anchor, the operator of which a chain has exactly one."""

_FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power,
    "Sqrt": np.sqrt, "Reciprocal": np.reciprocal, "Tanh": np.tanh, "Erf": _erf, "Neg": np.negative,
    "ReduceMean": lambda x, *_: x.mean(-1, keepdims=True),
}  # fmt: skip


def recognise_chains(net: Net, alias: dict[str, str]) -> None:
    """Replaces chains in ``net`` (views are gone, ``alias`` names what lies under them).

    The operator keeps the name and place of the chain's last node.
    """
    finder = _Finder(net, alias)
    for node in [n for n in net.nodes if n.kind in _KNOWN and not n.domain]:
        finder.replace(node)
    if not finder.gone:
        return
    net.nodes = [node for node in net.nodes if node.name not in finder.gone]
    listed = ", ".join(f"{kind} ({n})" for kind, n in sorted(finder.found.items()))
    net.notes.append(f"chains run as one operator, as runtimes fuse them: {listed}")


class _Finder:
    """Producers and readers of a net, kept up to date while chains are replaced."""

    def __init__(self, net: Net, alias: dict[str, str]) -> None:
        self.net, self.alias = net, alias
        self.gone: set[str] = set()
        self.found: Counter[str] = Counter()
        self.producer = {t: node for node in net.nodes for t in node.outputs if t}
        self.readers: dict[str, list[Node]] = {}
        for node in net.nodes:
            for tensor in dict.fromkeys(self.under(t) for t in node.inputs if t):
                self.readers.setdefault(tensor, []).append(node)

    def under(self, tensor: str) -> str:
        """The tensor that ``tensor`` is a view of."""
        return self.alias.get(tensor, tensor)

    def replace(self, anchor: Node) -> None:
        """Replaces the chain around ``anchor``, if there is one."""
        regions = [
            (inside, end, source)
            for end in self._ends(anchor)
            for source in self._sources(anchor)
            if (inside := self._region(end, source)) is not None and anchor in inside
        ]
        for shape in _KNOWN[anchor.kind]:  # a norm of differences from the mean comes first
            for inside, end, source in regions:
                if self._computes(end, source, shape):
                    self._merge(inside, end, source, shape)
                    return

    def _ends(self, anchor: Node) -> Iterator[Node]:
        """Nodes that depend on the anchor, nearest first, as far as each is the only reader."""
        node = anchor
        for _ in range(FURTHEST):
            readers = self.readers.get(node.outputs[0], [])
            if len(readers) != 1 or node.outputs[0] in self.net.outputs:
                return
            node = readers[0]
            if node.kind not in _FUNCTIONS or node.domain:
                return
            yield node

    def _sources(self, anchor: Node) -> Iterator[str]:
        """Tensors that the anchor depends on, nearest first."""
        level = [anchor]
        seen: set[str] = set()
        for _ in range(FURTHEST):
            tensors = [self.under(t) for n in level for t in n.inputs if t]
            fresh = [t for t in dict.fromkeys(tensors)
                     if t not in seen and not self.net.values[t].constant]  # fmt: skip
            yield from fresh
            seen.update(fresh)
            level = [self.producer[t] for t in fresh if t in self.producer]
            level = [n for n in level if n.kind in _FUNCTIONS and not n.domain]

    def _region(self, end: Node, source: str) -> list[Node] | None:
        """The nodes between ``source`` and ``end``, if nothing else goes in or out."""
        inside: dict[str, Node] = {}
        level = [end]
        while level:
            node = level.pop()
            if node.name in inside:
                continue
            if node.kind not in _FUNCTIONS or node.domain or len(inside) > 2 * FURTHEST:
                return None
            if node.kind == "ReduceMean" and not self._over_last(node):
                return None
            inside[node.name] = node
            for tensor in map(self.under, filter(None, node.inputs)):
                value = self.net.values[tensor]
                if tensor == source or (value.constant and self._scalar_or_axes(node, value)):
                    continue
                if tensor not in self.producer:
                    return None
                level.append(self.producer[tensor])
        for node in inside.values():
            tensor = node.outputs[0]
            others = [r for r in self.readers.get(tensor, []) if r.name not in inside]
            if node is not end and (others or tensor in self.net.outputs):
                return None
        return list(inside.values())

    def _over_last(self, node: Node) -> bool:
        rank = self.net.values[node.inputs[0]].rank
        axes = node.attributes.get("axes")
        if axes is None and len(node.inputs) > 1 and node.inputs[1]:
            data = self.net.values[node.inputs[1]].data
            axes = None if data is None else tuple(int(a) for a in data.reshape(-1))
        last = axes in ((-1,), (rank - 1,))
        return last and node.attributes.get("keepdims", 1) == 1

    def _scalar_or_axes(self, node: Node, value: Value) -> bool:
        return node.kind == "ReduceMean" or (value.data is not None and value.elements == 1)

    def _computes(self, end: Node, source: str, shape: _Shape) -> bool:
        known: dict[str, Array] = {source: shape.sample}
        with np.errstate(all="ignore"):
            result = self._evaluate(end.outputs[0], known)
            return bool(np.allclose(result, shape.function(shape.sample), rtol=1e-3, atol=1e-4))

    def _evaluate(self, tensor: str, known: dict[str, Array]) -> Array:
        tensor = self.under(tensor)
        if tensor not in known:
            value = self.net.values[tensor]
            if value.constant:
                data = 0.0 if value.data is None else value.data.reshape(-1)[0]
                known[tensor] = np.asarray(data, dtype=np.float64)
            else:
                node = self.producer[tensor]
                operands = [self._evaluate(t, known) for t in node.inputs if t]
                known[tensor] = np.asarray(_FUNCTIONS[node.kind](*operands))
        return known[tensor]

    def _merge(self, inside: list[Node], end: Node, source: str, shape: _Shape) -> None:
        parameters: list[str] = []
        last = end
        for kind in shape.affine:
            follower = self._affine(last, kind, source)
            if follower is None:
                break
            node, parameter = follower
            parameters.append(parameter)
            inside, last = [*inside, node], node
        for node in inside:
            if node is not last:
                self.gone.add(node.name)
                self.net.absorbed[node.name] = last.name
        self.found[shape.kind] += 1
        # In place: the list of nodes, and readers found before, hold this very object.
        last.kind, last.attributes = shape.kind, dict(shape.attributes)
        last.inputs = [source, *parameters]
        self.readers[source] = [
            *(r for r in self.readers.get(source, []) if r.name not in self.gone and r is not last),
            last,
        ]

    def _affine(self, node: Node, kind: str, source: str) -> tuple[Node, str] | None:
        """The node behind that multiplies or adds a constant along the last dimension."""
        tensor = node.outputs[0]
        readers = self.readers.get(tensor, [])
        if len(readers) != 1 or readers[0].kind != kind or tensor in self.net.outputs:
            return None
        follower = readers[0]
        others = [t for t in follower.inputs if self.under(t) != tensor]
        if follower.domain or len(others) != 1:
            return None
        value = self.net.values[others[0]]
        width = self.net.values[source].shape[-1:]
        fits = value.constant and value.shape[-1:] == width and value.elements == width[0]
        return (follower, others[0]) if fits else None
