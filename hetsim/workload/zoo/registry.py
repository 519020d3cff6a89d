"""Networks by name: their entry, their file or builder, their graph."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import Location, WorkloadError
from hetsim.workload.graph import Graph
from hetsim.workload.zoo.entry import ZooModel
from hetsim.workload.zoo.published import PUBLISHED
from hetsim.workload.zoo.xrbench import XRBENCH

if TYPE_CHECKING:
    from onnx import ModelProto

MODELS: Mapping[str, ZooModel] = {model.name: model for model in (*PUBLISHED, *XRBENCH)}
"""Every network by name."""

ALIASES: Mapping[str, str] = {
    "inception_v1": "googlenet",
    "zfnet": "zfnet512",
    "resnext50": "resnext50_32x4d",
    "vit": "vit_b16",
    "vww": "mobilenet_v1_025",
    "kws": "ds_cnn",
    "ic": "resnet8",
    "ad": "toy_autoencoder",
}
"""Other names of the same networks."""


def model_names() -> tuple[str, ...]:
    """Names of the zoo's networks, in the registry's order."""
    return tuple(MODELS)


def find_model(name: str) -> ZooModel:
    """The zoo's entry for ``name`` or an alias.

    Raises:
        WorkloadError: no such network; suggests the nearest.
    """
    known = MODELS.get(ALIASES.get(name, name))
    if known is None:
        from difflib import get_close_matches

        close = get_close_matches(name, [*MODELS, *ALIASES], n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise WorkloadError(
            f"there is no network called {name!r}",
            hint=f"{guess}known: {', '.join(MODELS)}; or give the path of a file (.onnx, .tflite)",
        )
    return known


def measured_as(network: str, component: str = "") -> str | None:
    """The network that qualcomm/ai-hub-models measured under this name; ``None`` if not here."""
    for model in MODELS.values():
        name, _, part = model.ai_hub.partition("/")
        if name == network and part in ("", component):
            return model.name
    return None


def model_file(name: str) -> Path | None:
    """Path of the shipped ONNX file of ``name``; ``None`` when the network is built instead.

    Raises:
        WorkloadError: the installed onnx package lacks its test data.
    """
    model = find_model(name)
    if not model.file:
        return None
    import onnx

    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    path = folder / f"light_{model.file}.onnx"
    if not path.is_file():
        raise WorkloadError(
            f"network {name!r} comes with the onnx package, but this installation lacks its test"
            " data",
            where=Location(str(path)),
            hint="install onnx from PyPI: pip install --force-reinstall onnx",
        )
    return path


def build_model_proto(name: str) -> ModelProto:
    """The ONNX model of a zoo network, with ConstantOfShape in place of weights.

    :func:`~hetsim.workload.zoo.weights.with_random_weights` makes it one with weights.
    """
    path = model_file(name)
    if path is not None:
        from hetsim.workload.onnx.read import read_model

        return read_model(path)
    build = find_model(name).build
    assert build is not None, "a zoo entry has a file or a builder"
    return build()


def load_model(name: str, /, **options: Any) -> Graph:
    """The operator graph of a zoo network; ``options`` go to :func:`load_onnx`.

    The same graph each time, but for options that cannot be told apart by value, such as
    ``input_shapes``: reading one takes as long as simulating it.
    """
    known = find_model(name).name
    if all(isinstance(value, Hashable) for value in options.values()):
        return _remembered(known, tuple(sorted(options.items())))
    return _loaded(known, options)


@lru_cache(maxsize=32)
def _remembered(name: str, options: tuple[tuple[str, Any], ...]) -> Graph:
    return _loaded(name, dict(options))


def _loaded(name: str, options: Mapping[str, Any]) -> Graph:
    from hetsim.workload.onnx.loader import load_onnx

    return load_onnx(build_model_proto(name), **{"name": name, "source": f"zoo:{name}", **options})
