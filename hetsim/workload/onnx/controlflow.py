"""Control flow resolved before anything runs: branches that are known, loops whose turns are known.

``If`` with a constant condition is replaced by its branch, any other by the branch that computes
more, which is told in a note. ``Loop`` and ``Scan`` are unrolled, each turn with operators of its
own and the constants shared, when the file and the input shapes tell the number of turns, or
``max_output`` states it under the loop's name. Lists of tensors, which loops fill, are resolved on
the way (:mod:`.sequences`). What all that needs is inferred, and nothing else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hetsim.workload.costing import RULES, Call
from hetsim.workload.onnx.bodies import (
    Copy,
    body_of,
    fixed,
    identity,
    sliced,
    stacked,
    whole_numbers,
)
from hetsim.workload.onnx.infer import infer, is_constant
from hetsim.workload.onnx.ir import Net, Node, Value
from hetsim.workload.onnx.read import CONTROL_FLOW
from hetsim.workload.onnx.sequences import SEQUENCES, resolve_sequence

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
        if not any(_is_pending(net, node) for node in ahead):
            break
        asked, read = _asked(net, ahead)
        while not _is_pending(net, ahead[-1]):
            node = ahead.pop()
            done.append(node)
            if any(tensor in asked for tensor in node.outputs):
                _refuse_lists(net, [node])
                infer(net, [node], read)
        control = ahead.pop()
        build = _BUILDERS.get(control.kind, resolve_sequence)
        try:
            ahead += reversed(build(net, control))
        except (LookupError, TypeError, ValueError) as error:
            raise net.error(
                f"{control.kind} {control.name!r} cannot be understood: its inputs do not fit the"
                f" graph inside it ({error})"
            ) from error
        if len(ahead) + len(done) > MAX_NODES:
            raise net.error(
                f"{control.kind} {control.name!r} unrolled makes more than {MAX_NODES:,} operators",
                hint="give the network a shorter input, or cut the loop out",
            )
    net.nodes = done + ahead[::-1]
    net.outputs = [t for name in net.outputs for t in net.sequences.get(name, [name])]
    _refuse_lists(net, net.nodes)


def _is_control(node: Node) -> bool:
    return node.kind in CONTROL_FLOW | SEQUENCES and not node.domain


def _is_pending(net: Net, node: Node) -> bool:
    """Whether ``node`` is to be replaced: control flow, lists, and other names of lists."""
    return _is_control(node) or (node.kind == "Identity" and node.inputs[0] in net.sequences)


def _refuse_lists(net: Net, nodes: Sequence[Node]) -> None:
    """Whoever still reads a list of tensors is not understood."""
    for node in nodes:
        name = next((t for t in node.inputs if t in net.sequences), None)
        if name is not None:
            raise net.error(
                f"operator {node.name!r} ({node.kind}) reads {name!r}, a list of tensors, which"
                " hetsim does not understand"
            )


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
    read = set(net.outputs).union(*net.sequences.values())
    for node in ahead:  # which is reversed
        read.update(node.inputs)
        if _is_control(node) or any(t in asked for t in node.outputs if t):
            asked.update(i for t in node.inputs if t for i in net.sequences.get(t, [t]))
    return asked, read


# -- branches -------------------------------------------------------------------------------------


def _if(net: Net, node: Node) -> list[Node]:
    truth = _truth(net.values[node.inputs[0]])
    if truth is None:
        return _dearer(net, node)
    return _branch(net, node, "then_branch" if truth else "else_branch")


def _branch(net: Net, node: Node, name: str) -> list[Node]:
    body = body_of(node, name)
    copies = Copy(net, body, node.name)
    nodes = copies.turn("", {})
    for inner, outer in zip(body.output, node.outputs, strict=False):
        if outer:
            nodes.append(identity(net, copies.names[inner.name], outer))
    return nodes


def _dearer(net: Net, node: Node) -> list[Node]:
    """Where the data decide, the branch that computes more: whoever plans must allow for it."""
    found = []
    for name in ("then_branch", "else_branch"):
        trial = replace(
            net, nodes=_branch(net, node, name), values=dict(net.values), notes=[],
            names=copy.deepcopy(net.names), sequences=dict(net.sequences),
        )  # fmt: skip
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
    body = body_of(node, "body")
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
    condition = given[1] if len(given) > 1 and given[1] else fixed(net, node, "true", True)
    copies = Copy(net, body, node.name)
    nodes: list[Node] = []
    scanned: list[list[str]] = [[] for _ in body.output[1 + carried :]]
    turn = 0
    while (stated is not None or start) and (turns is None or turn < turns):
        number = fixed(net, node, f"turn_{turn}", turn)
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
        identity(net, inner, outer)
        for inner, outer in zip(state, node.outputs, strict=False) if outer
    ]  # fmt: skip
    for collected, outer in zip(scanned, node.outputs[carried:], strict=False):
        if outer:
            nodes += stacked(net, node, collected, outer, 0)
    return nodes


def _scan(net: Net, node: Node) -> list[Node]:
    """As many turns as the scanned inputs are long; one Split hands out their slices."""
    body = body_of(node, "body")
    number = node.attributes.get("num_scan_inputs")
    given = list(node.proto.input)
    if net.opsets.get("", 9) < 9 or not isinstance(number, int) or not 0 < number <= len(given):
        raise net.error(f"Scan {node.name!r} has a form that hetsim does not understand")
    carried = len(given) - number
    state, sources = given[:carried], [net.values[t] for t in given[carried:]]
    axes = whole_numbers(node, "scan_input_axes", number)
    axes = [a % v.rank for a, v in zip(axes, sources, strict=True)]
    turns = {v.shape[a] for a, v in zip(axes, sources, strict=True)}
    if len(turns) != 1 or 0 in turns:
        raise net.error(f"Scan {node.name!r} reads inputs of lengths {sorted(turns)}")
    length = turns.pop()
    nodes: list[Node] = []
    pieces: list[list[str]] = []
    back = whole_numbers(node, "scan_input_directions", number)
    for value, axis, reverse in zip(sources, axes, back, strict=True):
        slices, made = sliced(net, node, value, axis, length)
        nodes += made
        pieces.append(slices[::-1] if reverse else slices)
    copies = Copy(net, body, node.name)
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
    nodes += [identity(net, i, o) for i, o in zip(state, node.outputs, strict=False) if o]
    out_axes = whole_numbers(node, "scan_output_axes", len(scanned))
    turned = whole_numbers(node, "scan_output_directions", len(scanned))
    for collected, outer, axis, reverse in zip(
        scanned, node.outputs[carried:], out_axes, turned, strict=False
    ):
        if outer:
            order = collected[::-1] if reverse else collected
            nodes += stacked(net, node, order, outer, axis)
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
