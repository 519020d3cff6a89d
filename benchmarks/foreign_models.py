"""ONNX files of others, loaded and counted: ``python benchmarks/foreign_models.py DIR``.

Loads every ``.onnx`` file under DIR and prints a row for each: operators, multiply-accumulates,
parameters, the kinds among its operators that no arithmetic is counted for (they cost the bytes
they move), or why it does not load. What a file leaves open stands beside it in ``NAME.yaml``, as
in a scenario's entry of a model: ``dims``, ``input_shapes``, ``max_output``.

``--run`` also runs each file with ONNX Runtime on random inputs (extra ``measure``), without its
optimiser, and counts the multiply-accumulates of every product from the shapes of the arrays that
really came out. That count shares no code with hetsim. Where it differs, both are printed.
"""

from __future__ import annotations

import argparse
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import helper

from hetsim.errors import HetsimError
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx

COLUMNS = ("file", "operators", "MMACs", "M params", "ONNX Runtime", "no arithmetic, or why not")
WHOLE_GRAPH = frozenset({"If", "Loop", "Scan"})
"""Their bodies' arrays do not come out, so files that have them are not counted by running."""
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "DynamicQuantizeLSTM": 4}


def main() -> None:
    """Prints the table and how many of the files load."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", action="store_true", help="count by running, too")
    parser.add_argument("--only", default="", metavar="TEXT", help="files whose path holds TEXT")
    options = parser.parse_args()
    rows, loaded = [COLUMNS], 0
    for path in sorted(options.folder.rglob("*.onnx")):
        name = str(path.relative_to(options.folder))
        if options.only in name:
            row, fine = _row(path, name, options.run)
            loaded += fine
            rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
    print(f"{loaded} of {len(rows) - 1} files load")


def _row(path: Path, name: str, run: bool) -> tuple[tuple[str, ...], bool]:
    beside = path.with_suffix(".yaml")
    sizes: dict[str, Any] = yaml.safe_load(beside.read_text()) if beside.is_file() else {}
    try:
        graph = load_onnx(path, **sizes)
    except HetsimError as error:
        text = error.message.partition("\n")[0]
        return (name, "", "", "", "", text if len(text) < 150 else f"{text[:147]}..."), False
    idle = Counter(op.kind for op in graph.operators if not op.macs and not op.element_ops)
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(idle.items()))
    counted = _by_running(path, sizes, graph) if run else ""
    figures = (f"{graph.macs / 1e6:,.3f}", f"{graph.parameters / 1e6:,.3f}")
    return (name, str(len(graph)), *figures, counted, kinds), True


def _by_running(path: Path, sizes: dict[str, Any], graph: Graph) -> str:
    model = onnx.load(path)
    if any(node.op_type in WHOLE_GRAPH for node in model.graph.node) or model.functions:
        return "control flow"
    try:
        macs, unknown = _count(model, sizes, graph)
    except Exception as error:  # whatever a foreign file makes the runtime do
        return f"{type(error).__name__}: {str(error)[:60]}".replace("\n", " ")
    if unknown:
        return f"not counted: {', '.join(sorted(unknown))}"
    return "same" if macs == graph.macs else f"{macs / 1e6:,.3f}"


def _count(model: onnx.ModelProto, sizes: dict[str, Any], graph: Graph) -> tuple[int, set[str]]:
    import onnxruntime

    constants = {t.name: t for t in model.graph.initializer}
    feeds = _feeds(model, sizes, graph)
    shapes: dict[str, tuple[int, ...]] = {n: tuple(t.dims) for n, t in constants.items()}
    shapes |= {name: array.shape for name, array in feeds.items()}
    live = set(feeds)
    for node in model.graph.node:
        if any(t in live for t in node.input) and node.op_type not in ("Shape", "Size"):
            live.update(node.output)
    outside = {o.name for o in model.graph.output}
    inner = [t for node in model.graph.node for t in node.output if t and t not in outside]
    asked = [*inner, *outside]
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in inner)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    for name, array in zip(asked, session.run(asked, feeds), strict=True):
        shapes[name] = np.shape(array) if not isinstance(array, list) else ()
    macs, unknown = 0, set()
    for node in model.graph.node:
        if not any(t in live for t in node.input):
            continue
        found = _product(node, shapes)
        if found is None:
            unknown.add(node.op_type)
        macs += found or 0
    return macs, unknown


def _feeds(model: onnx.ModelProto, sizes: dict[str, Any], graph: Graph) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    constants = {t.name for t in model.graph.initializer}
    feeds: dict[str, Any] = {}
    for info in model.graph.input:
        if info.name in constants:
            continue
        tensor = info.type.tensor_type
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        dims = sizes.get("dims", {})
        if info.name in graph.tensors:
            shape = graph.tensors[info.name].shape
        elif info.name in sizes.get("input_shapes", {}):
            shape = tuple(sizes["input_shapes"][info.name])
        else:
            shape = tuple(d.dim_value or dims.get(d.dim_param, 1) for d in tensor.shape.dim)
        if info.name in dims:
            feeds[info.name] = np.full(shape, dims[info.name], kind)
        elif np.issubdtype(kind, np.floating):
            feeds[info.name] = generator.standard_normal(shape).astype(kind)
        else:
            feeds[info.name] = np.ones(shape, dtype=kind)
    return feeds


def _product(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int | None:
    """Multiply-accumulates of a product; 0 for another operator, ``None`` for one not known."""
    kind = node.op_type
    given = [shapes.get(t, ()) for t in node.input]
    result = shapes.get(node.output[0], ())
    of = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if kind in ("Conv", "FusedConv", "ConvInteger", "QLinearConv", "NhwcConv", "NhwcFusedConv"):
        weights = given[3] if kind == "QLinearConv" else given[1]
        return prod(result) * prod(weights[1:])
    if kind == "ConvTranspose":
        return prod(given[0]) * prod(given[1][1:])
    if kind in ("MatMul", "MatMulInteger", "FusedMatMul", "MatMulIntegerToFloat",
                "DynamicQuantizeMatMul", "QLinearMatMul"):  # fmt: skip
        left = given[0]
        inner = left[-2] if of.get("transA") and len(left) > 1 else left[-1]
        return prod(result) * inner
    if kind in ("Gemm", "FusedGemm", "QGemm"):
        return prod(result) * given[0][0 if of.get("transA") else 1]
    if kind == "MatMulNBits":
        return prod(result) * int(of["K"])
    if kind in GATES:
        steps, batch, features = given[0]
        hidden = int(of["hidden_size"])
        directions = given[1][0]
        return directions * steps * batch * GATES[kind] * hidden * (features + hidden)
    if kind == "Einsum":
        return _einsum(of["equation"].decode(), given)
    attention = ("Attention", "MultiHeadAttention", "GroupQueryAttention", "TreeEnsemble")
    return None if kind in attention else 0


def _einsum(equation: str, given: list[tuple[int, ...]]) -> int | None:
    terms = equation.replace(" ", "").split("->")[0].split(",")
    if len(terms) != 2 or "." in equation:
        return None
    extent = {c: n for term, dims in zip(terms, given, strict=True)
              for c, n in zip(term, dims, strict=True)}  # fmt: skip
    return prod(extent.values())


if __name__ == "__main__":
    main()
