"""Networks that come with hetsim: real model-zoo graphs and ones built from their papers."""

from hetsim.workload.zoo.entry import ZooModel
from hetsim.workload.zoo.registry import (
    ALIASES,
    MODELS,
    build_model_proto,
    find_model,
    load_model,
    measured_as,
    model_file,
    model_names,
)
from hetsim.workload.zoo.weights import with_random_weights

__all__ = [
    "ALIASES",
    "MODELS",
    "ZooModel",
    "build_model_proto",
    "find_model",
    "load_model",
    "measured_as",
    "model_file",
    "model_names",
    "with_random_weights",
]
