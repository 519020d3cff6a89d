"""From what names a network to its graph: a name of the zoo, a file, or an ONNX model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto


def load_network(model: str | Path | ModelProto, **options: Any) -> Graph:
    """Loads a network: a name of ``hetsim list models``, an ONNX file, or an ONNX model.

    ``options`` go to :func:`hetsim.workload.onnx.loader.load_onnx`, such as ``input_shapes``.

    Raises:
        WorkloadError: no such network, or one that cannot be understood.
    """
    if isinstance(model, str) and not model.endswith(".onnx") and len(Path(model).parts) == 1:
        from hetsim.workload.zoo import load_model

        return load_model(model, **options)
    from hetsim.workload.onnx.loader import load_onnx

    return load_onnx(model, **options)
