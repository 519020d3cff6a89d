"""Names of the dimensions that a file leaves open.

An open dimension has a name: the file's, or ``INPUT.POSITION`` where the file has none. A name may
be a sum or product of names (``past + 1``), which follows from them.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

from onnx import TensorProto, ValueInfoProto

from hetsim.workload.onnx.ir import dimensions

WHOLE = (TensorProto.INT32, TensorProto.INT64)
"""Element types of sizes."""


def named_dims(info: ValueInfoProto) -> list[int | str] | None:
    """The dimensions of an input, those without a name or number called ``INPUT.POSITION``."""
    if not info.type.tensor_type.HasField("shape"):
        return None
    dims = dimensions(info.type)
    return [f"{info.name}.{i}" if d in ("?", 0) else d for i, d in enumerate(dims)]


def is_whole_number(info: ValueInfoProto) -> bool:
    """Whether an input is a single whole number, which may be stated like a dimension."""
    tensor = info.type.tensor_type
    if tensor.elem_type not in WHOLE or not tensor.HasField("shape"):
        return False
    return dimensions(info.type) in ([], [1])


LONGEST = 200
"""Characters of a sum or product; a longer name is taken as it stands."""

_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Div: operator.floordiv,
}  # fmt: skip
_ARITHMETIC = re.compile(r"[\w\s()+*/-]*[+*/\s(][\w\s()+*/-]*")


def _expression(name: str) -> ast.expr | None:
    if len(name) > LONGEST or not _ARITHMETIC.fullmatch(name):
        return None
    try:
        return ast.parse(name.replace("floor", ""), mode="eval").body
    except SyntaxError:
        return None


def atoms(name: str) -> list[str]:
    """The names in a sum or product of names, or ``name`` itself."""
    tree = _expression(name)
    if tree is None:
        return [name]
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def size_of(name: str, bound: Mapping[str, int]) -> int | str:
    """The number that ``name`` stands for, or ``name`` when that is not known."""
    if name in bound:
        return bound[name]
    tree = _expression(name)
    found = None if tree is None else _number(tree, bound)
    return name if found is None else found


def _number(tree: ast.expr, bound: Mapping[str, int]) -> int | None:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
        return tree.value
    if isinstance(tree, ast.Name):
        return bound.get(tree.id)
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        left, right = _number(tree.left, bound), _number(tree.right, bound)
        divided = isinstance(tree.op, ast.Div | ast.FloorDiv)
        if left is not None and right is not None and not (divided and right == 0):
            return _OPERATORS[type(tree.op)](left, right)
    return None
