"""Einsum: work from its equation."""

from __future__ import annotations

from hetsim.errors import WorkloadError
from hetsim.workload.costing.registry import Call, Cost, product, rule
from hetsim.workload.graph import LoopNest
from hetsim.workload.onnx.ir import Value


@rule("Einsum")
def _einsum(call: Call) -> Cost:
    """Two operands are one (batched) matrix product, more are contracted left to right."""
    operands = [call.input(i) for i in range(len(call.inputs))]
    terms, result = _equation(call, operands)
    extent: dict[str, int] = {}
    for term, value in zip(terms, operands, strict=True):
        for letter, size in zip(term, value.shape, strict=True):
            extent[letter] = max(size, extent.get(letter, 1))
    if len(terms) == 1:
        summed = set(terms[0]) - set(result)
        return Cost(element_ops=operands[0].elements if summed else 0)
    if len(terms) == 2:
        nest = _nest(terms[0], terms[1], result, extent, operands)
        return Cost.of_nest(nest)
    macs, done = 0, terms[0]
    for position, term in enumerate(terms[1:], start=2):
        later = set(result).union(*terms[position:])
        letters = dict.fromkeys(done + term)
        macs += product(tuple(extent[letter] for letter in letters))
        done = "".join(letter for letter in letters if letter in later)
    return Cost(macs=macs)


def _equation(call: Call, operands: list[Value]) -> tuple[list[str], str]:
    """One letter a dimension for each operand and the result; capitals stand for an ellipsis."""
    equation = call.text("equation").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    widest = 0
    expanded = []
    for term, value in zip(terms, operands, strict=False):
        if "..." in term:
            hidden = value.rank - (len(term) - 3)
            widest = max(widest, hidden)
            term = term.replace("...", "".join(f"{_hidden(i)}" for i in range(hidden))[::-1])
        expanded.append(term)
    fits = len(terms) == len(operands) and all(
        len(term) == value.rank for term, value in zip(expanded, operands, strict=False)
    )
    if not fits:
        raise WorkloadError(
            f"operator {call.name!r} (Einsum): equation {equation!r} does not fit operands of"
            f" shapes {[list(value.shape) for value in operands]}"
        )
    ellipsis = "".join(_hidden(i) for i in range(widest))[::-1]
    if arrow:
        return expanded, right.replace("...", ellipsis)
    joined = "".join(expanded)
    once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in ellipsis)
    return expanded, ellipsis + "".join(once)


def _hidden(position: int) -> str:
    """A letter no equation uses, for the dimension ``position`` places from the right."""
    return chr(0x3B1 + position)


def _nest(
    left: str, right: str, result: str, extent: dict[str, int], operands: list[Value]
) -> LoopNest:
    if operands[0].constant and not operands[1].constant:
        left, right = right, left

    def size(letters: list[str]) -> int:
        return product(tuple(extent[letter] for letter in letters))

    letters = list(dict.fromkeys(left + right))
    both = [c for c in letters if c in left and c in right]
    return LoopNest(
        batch=1,
        groups=size([c for c in both if c in result]),
        out_h=1,
        out_w=size([c for c in letters if c in left and c not in right]),
        in_c=size([c for c in both if c not in result]),
        out_c=size([c for c in letters if c in right and c not in left]),
        in_w=size([c for c in letters if c in left and c not in right]),
        weights_are_activations=not any(value.constant for value in operands),
    )
