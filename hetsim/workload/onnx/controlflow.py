"""Control flow resolved before anything runs: branches that are known, loops whose turns are known.

``If`` with a constant condition is replaced by its branch, any other by the branch that computes
more, which is told in a note. ``Loop`` and ``Scan`` are unrolled, each
turn with operators of its own and the constants shared, when the file and the input shapes tell the
number of turns, or ``max_output`` states it under the loop's name. What a condition or a count
needs is inferred on the way, and nothing else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper

from hetsim.errors import WorkloadError
from hetsim.numeric import Array
from hetsim.workload.costing import RULES, Call
from hetsim.workload.onnx.infer import infer, is_constant
from hetsim.workload.onnx.ir import Net, Node, Value
from hetsim.workload.onnx.read import CONTROL_FLOW, add_constant, captured, make_node

MAX_NODES = 50_000
"""Operators that unrolling may make; more would take longer to schedule than anybody waits."""


def resolve_control_flow(net: Net) -> None:
    """Replaces ``If``, ``Loop`` and ``Scan`` among the nodes of ``net``, which must be in order.

    Raises:
        WorkloadError: a number of turns that depends on the data, too many turns,
            a form of loop that is not understood.
    """
    if not any(_is_control(node) for node in net.nodes):
        return
    ahead = _live(net)[::-1]
    done: list[Node] = []
    while ahead:
        if not any(_is_control(node) for node in ahead):
            break
        asked, read = _asked(net, ahead)
        while not _is_control(ahead[-1]):
            node = ahead.pop()
            done.append(node)
            if any(tensor in asked for tensor in node.outputs):
                infer(net, [node], read)
        control = ahead.pop()
        ahead += reversed(_BUILDERS[control.kind](net, control))
        if len(ahead) + len(done) > MAX_NODES:
            raise net.error(
                f"{control.kind} {control.name!r} unrolled makes more than {MAX_NODES:,} operators",
                hint="give the network a shorter input, or cut the loop out",
            )
    net.nodes = done + ahead[::-1]


def _is_control(node: Node) -> bool:
    return node.kind in CONTROL_FLOW and not node.domain


def _live(net: Net) -> list[Node]:
    wanted, kept = set(net.outputs), []
    for node in reversed(net.nodes):
        if any(t in wanted for t in node.outputs if t):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]


def _asked(net: Net, ahead: Sequence[Node]) -> tuple[set[str], set[str]]:
    """Tensors that control flow ahead depends on, and all that anything ahead reads."""
    asked: set[str] = set()
    read = set(net.outputs)
    for node in ahead:  # which is reversed
        read.update(node.inputs)
        if _is_control(node) or any(t in asked for t in node.outputs if t):
            asked.update(t for t in node.inputs if t)
    return asked, read


# -- branches -------------------------------------------------------------------------------------


def _if(net: Net, node: Node) -> list[Node]:
    truth = _truth(net.values[node.inputs[0]])
    if truth is None:
        return _dearer(net, node)
    return _branch(net, node, "then_branch" if truth else "else_branch")


def _branch(net: Net, node: Node, name: str) -> list[Node]:
    body = _body(node, name)
    copies = _Copy(net, body, node.name)
    nodes = copies.turn("", {})
    for inner, outer in zip(body.output, node.outputs, strict=False):
        if outer:
            nodes.append(_identity(net, copies.names[inner.name], outer))
    return nodes


def _dearer(net: Net, node: Node) -> list[Node]:
    """Where the data decide, the branch that computes more: whoever plans must allow for it."""
    found = []
    for name in ("then_branch", "else_branch"):
        trial = replace(net, nodes=_branch(net, node, name), values=dict(net.values),
                        names=copy.deepcopy(net.names), notes=[])  # fmt: skip
        trial.outputs = [t for t in node.outputs if t]
        resolve_control_flow(trial)
        infer(trial, trial.nodes)
        found.append((_work(trial), name))
    (most, name), (least, _) = sorted(found, key=lambda pair: pair[0], reverse=True)
    net.notes.append(
        f"If {node.name}: the data decide; counted is its {name.partition('_')[0]} branch, with"
        f" {most[0]:,} multiply-accumulates and {most[1]:,} other operations (the other has"
        f" {least[0]:,} and {least[1]:,})"
    )
    return _branch(net, node, name)


def _work(net: Net) -> tuple[int, int]:
    macs = operations = 0
    for node in net.nodes:
        rule = RULES.get(node.kind)
        if rule is None or is_constant(net, node):
            continue
        inputs = tuple(net.values[t] if t else None for t in node.inputs)
        results = tuple(net.values[t] if t else None for t in node.outputs)
        cost = rule.cost(Call(node.name, node.kind, node.attributes, inputs, results))
        macs, operations = macs + cost.macs, operations + cost.element_ops
    return macs, operations


# -- loops ----------------------------------------------------------------------------------------


def _loop(net: Net, node: Node) -> list[Node]:
    """Turns follow each other while the condition holds, as the body computes it from constants."""
    body = _body(node, "body")
    given = list(node.proto.input)
    carried = len(body.input) - 2
    stated = _stated_turns(net, node)
    most = _scalar(net.values[given[0]]) if given and given[0] else None
    start = _scalar(net.values[given[1]]) if len(given) > 1 and given[1] else True
    if stated is None and given and given[0] and most is None:
        raise _open(net, node, f"its number of turns is {given[0]!r}, which")
    if stated is None and start is None:
        raise _open(net, node, f"its condition {given[1]!r}")
    turns = most if stated is None else stated
    state = given[2 : 2 + carried]
    condition = given[1] if len(given) > 1 and given[1] else _fixed(net, node, "true", True)
    copies = _Copy(net, body, node.name)
    nodes: list[Node] = []
    scanned: list[list[str]] = [[] for _ in body.output[1 + carried :]]
    turn = 0
    while (stated is not None or start) and (turns is None or turn < turns):
        number = _fixed(net, node, f"turn_{turn}", turn)
        names = [number, condition, *state]
        bound = {i.name: t for i, t in zip(body.input, names, strict=True)}
        made = copies.turn(f"{turn}/", bound)
        nodes += made
        results = [copies.names[output.name] for output in body.output]
        condition, state = results[0], results[1 : 1 + carried]
        for collected, result in zip(scanned, results[1 + carried :], strict=True):
            collected.append(result)
        turn += 1
        if stated is None:
            start = _known_after(net, made, condition)
            if start is None:
                raise _open(net, node, f"whether turn {turn + 1} follows")
        if len(nodes) > MAX_NODES:
            break
    nodes += [
        _identity(net, inner, outer)
        for inner, outer in zip(state, node.outputs, strict=False) if outer
    ]  # fmt: skip
    for collected, outer in zip(scanned, node.outputs[carried:], strict=False):
        if outer:
            nodes += _stacked(net, node, collected, outer, 0)
    return nodes


def _scan(net: Net, node: Node) -> list[Node]:
    """As many turns as the scanned inputs are long; one Split hands out their slices."""
    body = _body(node, "body")
    number = node.attributes.get("num_scan_inputs")
    given = list(node.proto.input)
    if net.opsets.get("", 9) < 9 or not isinstance(number, int) or not 0 < number <= len(given):
        raise net.error(f"Scan {node.name!r} has a form that hetsim does not understand")
    carried = len(given) - number
    state, sources = given[:carried], [net.values[t] for t in given[carried:]]
    axes = _whole(node, "scan_input_axes", number)
    axes = [a % v.rank for a, v in zip(axes, sources, strict=True)]
    turns = {v.shape[a] for a, v in zip(axes, sources, strict=True)}
    if len(turns) != 1 or 0 in turns:
        raise net.error(f"Scan {node.name!r} reads inputs of lengths {sorted(turns)}")
    length = turns.pop()
    nodes: list[Node] = []
    pieces: list[list[str]] = []
    back = _whole(node, "scan_input_directions", number)
    for value, axis, reverse in zip(sources, axes, back, strict=True):
        slices, made = _sliced(net, node, value, axis, length)
        nodes += made
        pieces.append(slices[::-1] if reverse else slices)
    copies = _Copy(net, body, node.name)
    scanned: list[list[str]] = [[] for _ in body.output[carried:]]
    for turn in range(length):
        names = [*state, *(piece[turn] for piece in pieces)]
        bound = {i.name: t for i, t in zip(body.input, names, strict=True)}
        nodes += copies.turn(f"{turn}/", bound)
        results = [copies.names[output.name] for output in body.output]
        state = results[:carried]
        for collected, result in zip(scanned, results[carried:], strict=True):
            collected.append(result)
        if len(nodes) > MAX_NODES:
            break
    nodes += [_identity(net, i, o) for i, o in zip(state, node.outputs, strict=False) if o]
    out_axes = _whole(node, "scan_output_axes", len(scanned))
    turned = _whole(node, "scan_output_directions", len(scanned))
    for collected, outer, axis, reverse in zip(
        scanned, node.outputs[carried:], out_axes, turned, strict=False
    ):
        if outer:
            order = collected[::-1] if reverse else collected
            nodes += _stacked(net, node, order, outer, axis)
    return nodes


_BUILDERS = {"If": _if, "Loop": _loop, "Scan": _scan}


def _stated_turns(net: Net, node: Node) -> int | None:
    given = net.max_output.get(node.name)
    if given is None:
        return None
    if not isinstance(given, int):
        raise net.error(
            f"max_output: {node.name!r} is a Loop and is given {list(given)}; it takes the number"
            " of turns"
        )
    net.stated.add(node.name)
    return given


def _open(net: Net, node: Node, what: str) -> Exception:
    return net.error(
        f"how often Loop {node.name!r} turns is unknown: {what} depends on the data",
        hint=f"state its turns: max_output: {{{node.name}: 20}}, or --max-output {node.name}=20",
    )


def _known_after(net: Net, made: Sequence[Node], tensor: str) -> bool | None:
    """The truth of ``tensor`` after the nodes of a turn, if constants decide it."""
    wanted, path = {tensor}, []
    for node in reversed(made):
        if any(t in wanted for t in node.outputs if t):
            path.append(node)
            wanted.update(node.inputs)
    if any(t not in net.values for n in path for t in _outside(n, path)):
        return None
    if any(_is_control(node) for node in path):
        return None
    infer(net, path[::-1])
    found = net.values.get(tensor)
    return None if found is None else _truth(found)


def _outside(node: Node, path: Sequence[Node]) -> Iterator[str]:
    inside = {t for other in path for t in other.outputs}
    return (t for t in node.inputs if t and t not in inside)


def _truth(value: Value) -> bool | None:
    found = _scalar(value)
    return None if found is None else bool(found)


def _scalar(value: Value) -> int | None:
    """The number of a constant of one element."""
    if not value.constant or value.data is None or value.data.size != 1:
        return None
    return int(value.data.reshape(-1)[0])


# -- copies of a body -----------------------------------------------------------------------------


@dataclass
class _Copy:
    """Copies of ``body``: constants once, nodes for each turn; ``names`` are the last turn's."""

    net: Net
    body: GraphProto
    prefix: str
    names: dict[str, str] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tensor in self.body.initializer:
            name = self._shared[tensor.name] = f"{self.prefix}/{tensor.name}"
            add_constant(self.net, name, tensor)
        for node in self.body.node:
            if node.op_type == "Constant":
                name = self._shared[node.output[0]] = f"{self.prefix}/{node.output[0]}"
                make_node(self.net, _renamed(node, self._shared), name)

    def turn(self, label: str, bound: Mapping[str, str]) -> list[Node]:
        """The nodes of one turn, whose body's inputs are the tensors ``bound``."""
        self.names = {**self._shared, **bound}
        where = f"{self.prefix}/{label}"
        nodes = [node for node in self.body.node if node.op_type != "Constant"]
        for node in nodes:
            self.names.update((t, where + t) for t in node.output if t)
        for info in self.body.value_info:
            if info.name in self.names:
                self.net.declared.setdefault(self.names[info.name], info.type)
        # An output that is a tensor from outside keeps its name.
        self.names.update((o.name, o.name) for o in self.body.output if o.name not in self.names)
        return [
            make_node(
                self.net,
                _renamed(node, self.names),
                self.net.names.unique(where + (node.name or f"{node.op_type}_{index}")),
            )
            for index, node in enumerate(nodes)
        ]


def _renamed(node: NodeProto, names: Mapping[str, str]) -> NodeProto:
    """A copy with other tensor names, in the graphs inside it as well."""
    result = NodeProto()
    result.CopyFrom(node)
    for tensors in (result.input, result.output):
        for i, tensor in enumerate(tensors):
            tensors[i] = names.get(tensor, tensor)
    for attribute in result.attribute:
        if attribute.type == AttributeProto.GRAPH:
            outer = {t: names[t] for t in captured(attribute.g) if t in names}
            if outer:
                _rename_inside(attribute.g, outer)
    return result


def _rename_inside(graph: GraphProto, names: Mapping[str, str]) -> None:
    local = {t.name for t in graph.initializer} | {i.name for i in graph.input}
    local |= {t for node in graph.node for t in node.output}
    outer = {old: new for old, new in names.items() if old not in local}
    for node in graph.node:
        node.CopyFrom(_renamed(node, outer))
    for output in graph.output:
        output.name = outer.get(output.name, output.name)


def _body(node: Node, name: str) -> GraphProto:
    found = next((a for a in node.proto.attribute if a.name == name), None)
    if found is None:
        raise WorkloadError(f"{node.kind} {node.name!r} has no {name}")
    graph: GraphProto = found.g
    return graph


def _whole(node: Node, name: str, count: int) -> list[int]:
    given = node.attributes.get(name)
    return [int(i) for i in given] if isinstance(given, tuple) and given else [0] * count


# -- what joins the copies ------------------------------------------------------------------------


def _add(net: Net, kind: str, label: str, inputs: list[str], outputs: list[str], **a: Any) -> Node:
    return make_node(net, helper.make_node(kind, inputs, outputs, **a), net.names.unique(label))


def _identity(net: Net, inner: str, outer: str) -> Node:
    return _add(net, "Identity", f"{outer}/is", [inner], [outer])


def _fixed(net: Net, node: Node, label: str, content: int | bool) -> str:
    data: Array = np.asarray(content, dtype=np.bool_ if isinstance(content, bool) else np.int64)
    return _constant(net, f"{node.name}/{label}", data)


def _constant(net: Net, name: str, data: Array) -> str:
    kind = TensorProto.BOOL if data.dtype == np.bool_ else TensorProto.INT64
    net.values[name] = Value(name, data.shape, kind, constant=True, data=data)
    return name


def _reshaped(net: Net, kind: str, source: str, result: str, axis: int) -> Node:
    """Squeeze or Unsqueeze, which took their axes as an attribute before operator set 13."""
    if net.opsets.get("", 13) < 13:
        return _add(net, kind, result, [source], [result], axes=[axis])
    axes = _constant(net, f"{result}/axes", np.asarray([axis], dtype=np.int64))
    return _add(net, kind, result, [source, axes], [result])


def _sliced(
    net: Net, node: Node, value: Value, axis: int, length: int
) -> tuple[list[str], list[Node]]:
    label = f"{node.name}/{value.name}"
    parts = [f"{label}/slice_{i}" for i in range(length)]
    if net.opsets.get("", 13) >= 13:
        sizes = _constant(net, f"{label}/sizes", np.ones(length, dtype=np.int64))
        nodes = [_add(net, "Split", f"{label}/split", [value.name, sizes], parts, axis=axis)]
    else:
        nodes = [_add(net, "Split", f"{label}/split", [value.name], parts, axis=axis,
                      split=[1] * length)]  # fmt: skip
    names = [f"{part}/at" for part in parts]
    pairs = zip(parts, names, strict=True)
    return names, nodes + [_reshaped(net, "Squeeze", part, name, axis) for part, name in pairs]


def _stacked(net: Net, node: Node, parts: Sequence[str], outer: str, axis: int) -> list[Node]:
    if not parts:
        raise net.error(f"{node.kind} {node.name!r} collects {outer!r} in no turn at all")
    names = [f"{outer}/part_{i}" for i in range(len(parts))]
    made = [_reshaped(net, "Unsqueeze", p, n, axis) for p, n in zip(parts, names, strict=True)]
    return [*made, _add(net, "Concat", f"{outer}/stack", names, [outer], axis=axis)]
