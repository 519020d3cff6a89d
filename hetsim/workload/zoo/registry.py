"""The networks that come with hetsim, and the published figures they are checked against.

Some are the stripped model-zoo files that the onnx package ships with its tests, others are built
from their published structure. ``macs`` and ``parameters`` are as published, with their source;
where a file differs from what was published, ``remark`` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import Location, WorkloadError
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto


def _built(module: str, function: str) -> Callable[[], ModelProto]:
    def build() -> ModelProto:
        from importlib import import_module

        model: ModelProto = getattr(import_module(f"hetsim.workload.zoo.{module}"), function)()
        return model

    return build


@dataclass(frozen=True, slots=True)
class ZooModel:
    """One network of the zoo.

    ``macs`` and ``parameters``: the published figures, multiply-accumulates of one inference and
    trained parameters. ``file``: stem of the shipped ONNX file, or ``build`` makes the model.
    """

    name: str
    description: str
    macs: float | None
    parameters: float | None
    source: str
    remark: str = ""
    file: str = ""
    build: Callable[[], ModelProto] | None = None
    comparable: frozenset[str] = frozenset({"macs", "parameters"})


_TORCHVISION = "torchvision model documentation (GFLOPS there are multiply-accumulates)"

_ALL = (
    ZooModel(
        "alexnet", "AlexNet with grouped convolutions, Caffe's reference model", 0.724e9, 61.0e6,
        "Chen et al. 2016 (Eyeriss, ISSCC): 666 M in the convolutions at 227x227; the fully"
        " connected layers add 58.6 M. Parameters: Han et al. 2015",
        "the file takes 224x224, which makes the first feature map 54x54 instead of 55x55 and the"
        " later ones 26 and 12: 10 % fewer multiply-accumulates than published",
        file="bvlc_alexnet", comparable=frozenset({"parameters"}),
    ),
    ZooModel(
        "zfnet512", "ZFNet with 512 filters in each of its last three convolutions", None, None,
        "Zeiler and Fergus 2014, figure 3, widened",
        "512, 512, 512 filters and fully connected layers of 4096, 1024 and 1000; no totals were"
        " published for this variant",
        file="zfnet512",
    ),
    ZooModel(
        "googlenet", "GoogLeNet (Inception v1), without auxiliary classifiers", 1.58e9, 7.0e6,
        "Szegedy et al. 2015, table 1 (1.5 G, rounded down), as counted for Caffe's bvlc_googlenet",
        "the file rounds pooled extents down (55, 27, 13, 6) where Caffe rounds up (56, 28, 14, 7):"
        " 1.43 G multiply-accumulates as the file stands",
        file="inception_v1", comparable=frozenset({"parameters"}),
    ),
    ZooModel(
        "inception_v2", "Inception v2 (BN-Inception)", 2.0e9, None,
        "Szegedy et al. 2016 (Rethinking Inception), table 3: BN-Inception, 2.0 G",
        "no parameter count was published",
        file="inception_v2",
    ),
    ZooModel(
        "resnet50", "ResNet-50 as exported by Caffe2", 4.09e9, 25.56e6, _TORCHVISION,
        "the shipped file has its stride in the 3x3 convolutions (v1.5, 4.09 G); the 3.86 G often"
        " quoted belong to the original, whose stride sits in the 1x1",
        file="resnet50",
    ),
    ZooModel(
        "squeezenet", "SqueezeNet 1.1", 0.35e9, 1.24e6, _TORCHVISION, file="squeezenet",
    ),
    ZooModel(
        "shufflenet", "ShuffleNet v1 with 4 groups, as exported by Caffe2", None, 1.39e6,
        "ONNX model zoo, size of the weights file (5.3 MiB of float32)",
        "stages of 136, 272 and 544 channels whose units keep their full width inside; Zhang et al."
        " 2018 narrow them to a quarter and double the channels, so their 133 M (table 1, g = 4)"
        " belong to another network",
        file="shufflenet",
    ),
    ZooModel(
        "densenet121", "DenseNet-121", 2.83e9, 7.98e6, _TORCHVISION,
        "Caffe splits batch normalisation into normalise and scale, each with scale and shift, so"
        " the file holds 83,648 more parameters (1 %) than published",
        file="densenet121", comparable=frozenset({"macs"}),
    ),
    ZooModel("vgg19", "VGG-19", 19.63e9, 143.67e6, _TORCHVISION, file="vgg19"),
    ZooModel(
        "resnet18", "ResNet-18", 1.81e9, 11.69e6, _TORCHVISION, build=_built("resnet", "resnet18"),
    ),
    ZooModel(
        "resnet50_v1", "ResNet-50 as first published, stride in the 1x1 convolutions", 3.86e9,
        25.56e6, "He et al. 2016, table 1 (3.8 G, rounded down); 3.86 G is the sum over that table",
        build=_built("resnet", "resnet50_v1"),
    ),
    ZooModel(
        "resnet50_v1_5", "ResNet-50, stride in the 3x3 convolutions", 4.09e9, 25.56e6, _TORCHVISION,
        build=_built("resnet", "resnet50_v1_5"),
    ),
    ZooModel(
        "resnext50_32x4d", "ResNeXt-50, 32 groups of width 4", 4.23e9, 25.03e6, _TORCHVISION,
        build=_built("resnet", "resnext50_32x4d"),
    ),
    ZooModel(
        "inception_v3", "Inception v3 at 299x299, without auxiliary classifier", 5.71e9, 23.83e6,
        f"{_TORCHVISION}; parameters without the auxiliary classifier",
        "torchvision's 27.16 M parameters include the auxiliary classifier, 3.33 M",
        build=_built("inception", "inception_v3"),
    ),
    ZooModel(
        "mobilenet_v2", "MobileNet-V2, width 1.0", 0.30e9, 3.50e6,
        "Sandler et al. 2018, table 4 (300 M); parameters: torchvision",
        build=_built("mobile", "mobilenet_v2"),
    ),
    ZooModel(
        "squeezenet1_1", "SqueezeNet 1.1, built from its structure", 0.35e9, 1.24e6, _TORCHVISION,
        build=_built("mobile", "squeezenet1_1"),
    ),
    ZooModel(
        "randwire", "RandWire-WS(4, 0.75), small regime, 78 channels", 0.583e9, 5.6e6,
        "Xie et al. 2019, table 2: 583 M (+- 6.2), 5.6 M (+- 0.1), mean of five random networks",
        "one drawn network of the family, so it lies within the published spread",
        build=_built("randwire", "randwire"),
    ),
    ZooModel(
        "vit_b16", "ViT-Base, 16x16 patches, a transformer encoder", 17.56e9, 86.57e6, _TORCHVISION,
        build=_built("transformer", "vit_b16"),
    ),
)  # fmt: skip

MODELS: Mapping[str, ZooModel] = {model.name: model for model in _ALL}
"""Every network by name."""

ALIASES: Mapping[str, str] = {
    "inception_v1": "googlenet",
    "zfnet": "zfnet512",
    "resnext50": "resnext50_32x4d",
    "vit": "vit_b16",
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
    """The operator graph of a zoo network; ``options`` go to :func:`load_onnx`."""
    from hetsim.workload.onnx.loader import load_onnx

    options.setdefault("name", find_model(name).name)
    options.setdefault("source", f"zoo:{find_model(name).name}")
    return load_onnx(build_model_proto(name), **options)
