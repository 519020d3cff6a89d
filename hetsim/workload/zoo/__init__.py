"""Networks that come with hetsim: real model-zoo graphs and ones built from their papers."""

from hetsim.workload.zoo.registry import (
    ALIASES,
    MODELS,
    ZooModel,
    build_model_proto,
    find_model,
    load_model,
    model_file,
    model_names,
)

__all__ = [
    "ALIASES",
    "MODELS",
    "ZooModel",
    "build_model_proto",
    "find_model",
    "load_model",
    "model_file",
    "model_names",
]
