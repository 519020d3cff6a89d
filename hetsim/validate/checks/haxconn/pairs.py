"""The co-runs that the authors of HaX-CoNN tell of, and how they tell them.

Two processes, one for each network, repeat inferences of batch 1 in float16, start each of them
together, and tell their mean time. A policy's time is the larger of the two; but twice, under "only
GPU", it is a sum (``src/summarize_multi_dnn_executions.py`` of github.com/ismetdagli/HaX-CoNN at
87f5f25): of AlexNet's and ResNet-101's times in one co-run, each of which may contain the other,
and of GoogLeNet's and ResNet-101's times from two co-runs. What is told so is computed so. The cuts
are those of that repository's ``collect_data_multidnn_experiment.sh``, by what the layer is called
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GPU, DLA = "gpu", "dla0"
"""The units; both networks' layers for a DLA go to the same one (``DLA_core = 0``)."""

POLICIES = ("only_gpu", "gpu&dla", "hax")
"""By what the table calls them; ``hax`` is the authors' own schedule."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A network and where it runs: on ``first`` up to the operator ``cut``, then on the other unit.

    Without a cut all of it is on ``first``. ``early``: operators that this repository's order has
    behind the cut and Caffe's before it.
    """

    network: str
    first: str
    cut: str = ""
    early: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A time: of engines, each beside another one, the largest or, with ``add``, the sum."""

    terms: tuple[tuple[Engine, Engine], ...]
    add: bool = False

    def seconds(self, times: list[float]) -> float:
        """What is told when the terms take so long."""
        return sum(times) if self.add else max(times)


def _told(first: Engine, second: Engine, *, add: bool = False) -> Told:
    """Of both engines beside each other."""
    return Told(((first, second), (second, first)), add)


def _pair(
    first: str, second: str, divided: tuple[str, str], hax: tuple[Engine, Engine], only_gpu: Told
) -> Mapping[str, Told]:
    engines = (Engine(first, divided[0]), Engine(second, divided[1]))
    return dict(zip(POLICIES, (only_gpu, _told(*engines), _told(*hax)), strict=True))


_GOOGLENET, _ALEXNET = Engine("googlenet", GPU), Engine("alexnet", GPU)
_RESNET101, _RESNET152 = Engine("resnet101", GPU), Engine("resnet152", GPU)

PAIRS: Mapping[str, Mapping[str, Told]] = {
    "googlenet+resnet101": _pair(
        "googlenet", "resnet101", (GPU, DLA),
        (Engine("googlenet", GPU, "4c.output"), Engine("resnet101", DLA, "stem.relu")),
        Told(((_GOOGLENET, Engine("resnet101", DLA)), (_RESNET101, _GOOGLENET)), add=True),
    ),
    "inception+resnet152": _pair(
        "inception", "resnet152", (DLA, GPU),
        (
            Engine("inception", GPU, "c1.avgpool", ("c1.b1.conv",)),
            Engine("resnet152", DLA, "layer4.0.3.conv", ("layer4.0.shortcut.conv",)),
        ),
        _told(Engine("inception", GPU), _RESNET152),
    ),
    "alexnet+resnet101": _pair(
        "alexnet", "resnet101", (GPU, DLA),
        (Engine("alexnet", GPU, "relu6"), Engine("resnet101", DLA, "maxpool")),
        _told(_ALEXNET, _RESNET101, add=True),
    ),
    "vgg19+resnet152": _pair(
        "vgg19", "resnet152", (DLA, GPU),
        (
            Engine("vgg19", DLA, "pool2"),
            Engine("resnet152", GPU, "layer3.0.3.conv", ("layer3.0.shortcut.conv",)),
        ),
        _told(Engine("vgg19", GPU), _RESNET152),
    ),
}  # fmt: skip
"""What the table tells of each pair, by policy."""
