"""``ai.onnx.ml``: trees, linear models, support vectors, and the tables around them.

A tree costs its depth: one comparison and one choice of a child a level, in the worst case down to
the deepest leaf, since the data decide. What is read of the tables is what those levels touch.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.workload.costing.elementwise import DIV, EXP, SQRT
from hetsim.workload.costing.registry import Call, Cost, rule

LEVEL = 2
"""Compare, choose: operations for each level of a tree."""


@rule("TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble")
def _trees(call: Call) -> Cost:
    depths = _depths(call)
    rows = _rows(call)
    steps = rows * sum(depths)
    reads = {
        p: min(call.input(p).elements, (steps + rows * len(depths)) * (1 if p == 1 else 2))
        for p in range(1, len(call.inputs)) if call.has(p)
    }  # fmt: skip
    return Cost(element_ops=LEVEL * steps + rows * len(depths), reads=reads)


def _depths(call: Call) -> list[int]:
    """The depth of each tree of the ensemble."""
    if call.kind == "TreeEnsemble":  # one table; a child is a leaf or another row of it
        right, left = call.integers("nodes_falsenodeids"), call.integers("nodes_truenodeids")
        leaf_r, leaf_l = call.integers("nodes_falseleafs"), call.integers("nodes_trueleafs")
        children = [
            [child for child, leaf in ((r, a), (t, b)) if not leaf]
            for r, t, a, b in zip(right, left, leaf_r, leaf_l, strict=True)
        ]
        return [_depth(children, root) for root in call.integers("tree_roots")]
    trees, numbers = call.integers("nodes_treeids"), call.integers("nodes_nodeids")
    modes = call.attributes.get("nodes_modes", ())
    at = {pair: i for i, pair in enumerate(zip(trees, numbers, strict=True))}
    links = zip(
        trees, call.integers("nodes_falsenodeids"), call.integers("nodes_truenodeids"),
        modes if isinstance(modes, Sequence) else (), strict=True,
    )  # fmt: skip
    children = [
        [] if mode == "LEAF" else [at[tree, right], at[tree, left]]
        for tree, right, left, mode in links
    ]
    inner = {child for pair in children for child in pair}
    roots = [root for root in range(len(children)) if root not in inner]
    if len(roots) != len(set(trees)):
        raise ValueError("a tree has no root, or several")
    return [_depth(children, root) - 1 for root in roots]  # a leaf compares nothing


def _depth(children: Sequence[Sequence[int]], root: int) -> int:
    """Nodes on the longest way from ``root``."""
    deepest, level, visited = 0, [root], 0
    while level:
        visited += len(level)
        if visited > len(children):
            raise ValueError("its trees have a cycle")
        deepest += 1
        level = [child for node in level for child in children[node]]
    return deepest


@rule("LinearRegressor", "LinearClassifier")
def _linear(call: Call) -> Cost:
    coefficients = call.attributes.get("coefficients", ())
    count = len(coefficients) if isinstance(coefficients, tuple) else 0
    return Cost(macs=_rows(call) * count)


@rule("SVMRegressor", "SVMClassifier")
def _support_vectors(call: Call) -> Cost:
    """A product with each support vector, its kernel function, and the weighted sum."""
    given = call.attributes.get("support_vectors", ())
    numbers = len(given) if isinstance(given, tuple) else 0
    features = call.input(0).shape[-1]
    vectors = numbers // max(1, features)
    kernel = 0 if call.text("kernel_type", "LINEAR") == "LINEAR" else EXP + 2
    return Cost(macs=_rows(call) * numbers, element_ops=_rows(call) * vectors * (kernel + 2))


@rule("Scaler")
def _scaler(call: Call) -> Cost:
    return Cost(element_ops=2 * call.result_elements)


@rule("Normalizer")
def _normaliser(call: Call) -> Cost:
    return Cost(element_ops=(2 + DIV) * call.result_elements + SQRT * _rows(call))


@rule("Imputer", "Binarizer", "LabelEncoder", "CategoryMapper", "OneHotEncoder")
def _looked_up(call: Call) -> Cost:
    return Cost(element_ops=call.result_elements)


@rule("ArrayFeatureExtractor", control=(1,))
def _extracted(_: Call) -> Cost:
    return Cost()


@rule("FeatureVectorizer", "ZipMap")
def _moved(_: Call) -> Cost:
    return Cost()


def _rows(call: Call) -> int:
    shape = call.input(0).shape
    return shape[0] if len(shape) > 1 else 1
