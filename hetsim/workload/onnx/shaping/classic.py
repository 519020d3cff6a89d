"""Shapes of ``ai.onnx.ml``'s operators for which ONNX has no inference: trees, linear models, SVMs.

Labels that are texts are sized as indices into the file's list of them, which is what a runtime
computes before it looks the text up.
"""

from __future__ import annotations

from onnx import TensorProto

from hetsim.workload.onnx.shaping.registry import Form, Shaped, like_first, shape_rule

shape_rule("Imputer", "Binarizer", "ZipMap")(like_first)


@shape_rule("Scaler", "Normalizer")
def _scaled(form: Form) -> list[Shaped]:
    return [(TensorProto.FLOAT, form.shape(0))]


@shape_rule("TreeEnsembleRegressor", "LinearRegressor", "SVMRegressor")
def _regressor(form: Form) -> list[Shaped]:
    targets = form.call.integer("n_targets", form.call.integer("targets", 1))
    return [(TensorProto.FLOAT, (_rows(form), targets))]


@shape_rule("TreeEnsembleClassifier", "SVMClassifier", "LinearClassifier")
def _classifier(form: Form) -> list[Shaped]:
    """The label of each row, and a score for each class."""
    given = form.call.attributes
    lists = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
    names = next((given[name] for name in lists if given.get(name)), ())
    classes = len(names) if isinstance(names, tuple) else 0
    rows = _rows(form)
    return [(TensorProto.INT64, (rows,)), (TensorProto.FLOAT, (rows, max(2, classes)))]


@shape_rule("FeatureVectorizer")
def _joined(form: Form) -> list[Shaped]:
    widths = [form.shape(p)[-1] for p in range(len(form.call.inputs))]
    return [(TensorProto.FLOAT, (_rows(form), sum(widths)))]


@shape_rule("LabelEncoder")
def _encoded(form: Form) -> list[Shaped]:
    given = form.call.attributes
    floats = any(name in given for name in ("values_floats", "default_float"))
    return [(TensorProto.FLOAT if floats else TensorProto.INT64, form.shape(0))]


def _rows(form: Form) -> int:
    shape = form.shape(0)
    return shape[0] if len(shape) > 1 else 1
