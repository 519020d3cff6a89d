"""From what names a network to its graph: a name of the zoo, a file, or an ONNX model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from hetsim.errors import Location, WorkloadError
from hetsim.names import suggest
from hetsim.workload.formats import SizeNames, format_of, names_file
from hetsim.workload.graph import Graph
from hetsim.workload.sizes import Sizes
from hetsim.workload.weights import StoredWeights, with_weights

if TYPE_CHECKING:
    from onnx import ModelProto

Size = TypeVar("Size")

Network: TypeAlias = "str | Path | ModelProto | Graph"
"""What names or is a network: a name of the zoo, a file, an ONNX model, a graph."""


def load_network(
    model: Network, *, weights: Mapping[str, Any] | None = None, **options: Any
) -> Graph:
    """Loads a network: a name of ``hetsim list models``, a file, or an ONNX model.

    A file may be of any format of :mod:`hetsim.workload.formats`. ``options`` are those of
    :func:`hetsim.workload.onnx.loader.load_onnx`, such as ``input_shapes``. A graph that is there
    already stays as it is; only its ``name`` may be another. ``weights`` of any of them are stored
    as these fields of :class:`~hetsim.workload.weights.StoredWeights` say.

    Raises:
        WorkloadError: no such network, or one that cannot be understood.
    """
    graph = _load(model, options)
    return with_weights(graph, StoredWeights(**weights)) if weights else graph


def _load(model: Network, options: Mapping[str, Any]) -> Graph:
    if isinstance(model, Graph):
        return replace(model, name=options.get("name", model.name))
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


def share_sizes(models: Sequence[Network], sizes: Sizes, asked_by: str) -> list[Sizes]:
    """What of ``sizes`` is meant for each of ``models``: what it has an input or dimension for.

    ``asked_by`` is what errors say instead of a line.

    Raises:
        WorkloadError: something that none of them has.
    """
    if not sizes.options():
        return [sizes for _ in models]
    known = [_names_of(model) for model in models]
    for what, position in (("input_shapes", 0), ("dims", 1), ("max_output", 2)):
        everywhere = {name for names in known for name in names[position]}
        for name in getattr(sizes, what):
            if name not in everywhere:
                kinds = ("an input", "an open dimension", "an operator or tensor")
                raise WorkloadError(
                    f"{name!r} is not {kinds[position]} of {' or '.join(map(_called, models))}",
                    where=Location(asked_by),
                    hint=suggest(name, sorted(everywhere) if position < 2 else []) or None,
                )
    return [
        Sizes(
            _kept(sizes.input_shapes, names.inputs),
            _kept(sizes.dims, names.dims),
            _kept(sizes.max_output, names.outputs),
        )
        for names in known
    ]


def own_dims(models: Sequence[Network], dims: Mapping[str, int]) -> list[dict[str, int]]:
    """Those of ``dims`` that each of ``models`` has; what none has is left out."""
    return [_kept(dims, _names_of(model).dims) for model in models]


def open_dims(models: Sequence[Network]) -> list[str]:
    """Open dimensions of any of ``models``."""
    return sorted({name for model in models for name in _names_of(model).dims})


def _kept(given: Mapping[str, Size], names: Collection[str]) -> dict[str, Size]:
    return {name: size for name, size in given.items() if name in names}


def _called(model: Network) -> str:
    if isinstance(model, str | Path):
        return str(model)
    return model.name if isinstance(model, Graph) else model.graph.name


def _names_of(model: Network) -> SizeNames:
    if isinstance(model, Graph):
        return SizeNames(frozenset())
    if not isinstance(model, str | Path):
        from hetsim.workload.onnx.format import names_in

        return names_in(model)
    if not (isinstance(model, Path) or names_file(model)):
        return _zoo_names(model)
    path = Path(model)
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _file_names(path, changed)


@lru_cache(maxsize=64)
def _file_names(path: Path, _changed: int) -> SizeNames:
    """Read once as long as the file stays as it is."""
    return format_of(path).size_names(path)


@lru_cache(maxsize=64)
def _zoo_names(name: str) -> SizeNames:
    from hetsim.workload.onnx.format import names_in
    from hetsim.workload.zoo import build_model_proto

    return names_in(build_model_proto(name))
