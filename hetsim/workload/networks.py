"""From what names a network to its graph: a name of the zoo, a file, or an ONNX model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.workload.formats import format_of, names_file
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto


def load_network(model: str | Path | ModelProto, **options: Any) -> Graph:
    """Loads a network: a name of ``hetsim list models``, a file, or an ONNX model.

    A file may be of any format of :mod:`hetsim.workload.formats`. ``options`` are those of
    :func:`hetsim.workload.onnx.loader.load_onnx`, such as ``input_shapes``.

    Raises:
        WorkloadError: no such network, or one that cannot be understood.
    """
    if not isinstance(model, str | Path):
        from hetsim.workload.onnx.loader import load_onnx

        return load_onnx(model, **options)
    if isinstance(model, Path) or names_file(model):
        return format_of(Path(model)).load(Path(model), **options)
    from hetsim.workload.zoo import load_model

    return load_model(model, **options)


def network_inputs(model: str) -> Sequence[str]:
    """Names of a network's inputs, of which a user may state shapes.

    Raises:
        WorkloadError: no such network, or not one.
    """
    if names_file(model):
        return format_of(Path(model)).inputs(Path(model))
    from hetsim.workload.zoo import build_model_proto

    return [info.name for info in build_model_proto(model).graph.input]
