"""A network ready to run: its operator graph beside an ONNX model whose nodes have the same names.

Weights that a file does not hold and inputs are drawn from one seed, so that two measurements of
one network run the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.workload.graph import Graph
from hetsim.workload.onnx.runnable import Runnable, load_runnable, make_runnable, write_types
from hetsim.workload.sizes import NO_SIZES, Sizes

if TYPE_CHECKING:
    from onnx import ModelProto

Feeds = dict[str, Any]
"""Input arrays by name."""


@dataclass(frozen=True)
class Network:
    """A graph, the model it was read from (with weights, named nodes, shapes) and its inputs."""

    graph: Graph
    model: ModelProto
    feeds: Feeds


def load_network(
    name_or_path: str | Path,
    *,
    sizes: Sizes = NO_SIZES,
    seed: int = 0,
) -> Network:
    """Loads a network of the zoo by name, or an ONNX file, in the ``sizes`` it leaves open.

    Raises:
        WorkloadError: no such network, or one that cannot be understood.
    """
    return _ready(load_runnable(name_or_path, sizes=sizes, seed=seed), seed)


def make_network(
    model: ModelProto,
    name: str,
    *,
    sizes: Sizes = NO_SIZES,
    seed: int = 0,
    source: str = "",
) -> Network:
    """Makes a model ready to run; ``model`` itself is not changed."""
    made = make_runnable(model, name, sizes=sizes, seed=seed, source=source)
    return _ready(made, seed)


def _ready(made: Runnable, seed: int) -> Network:
    write_types(made.model)  # cutting the model later needs them
    return Network(made.graph, made.model, random_feeds(made.model, seed))


def random_feeds(model: ModelProto, seed: int) -> Feeds:
    """Inputs drawn at random: normal floats, whole numbers 0 and 1, booleans that are true."""
    import numpy as np
    from onnx import helper

    generator = np.random.default_rng(seed + 1)
    feeds: Feeds = {}
    for info in model.graph.input:
        kind = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
        if np.issubdtype(kind, np.floating):
            feeds[info.name] = generator.standard_normal(shape).astype(kind)
        elif kind == np.bool_:
            feeds[info.name] = np.ones(shape, dtype=kind)
        else:
            feeds[info.name] = generator.integers(0, 2, shape).astype(kind)
    return feeds
