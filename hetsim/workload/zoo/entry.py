"""One network of the zoo: what was published of it, and who makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto


def built(module: str, function: str, *arguments: int) -> Callable[[], ModelProto]:
    """Makes a model by a function of a module of the zoo, which is imported when it is asked."""

    def build() -> ModelProto:
        from importlib import import_module

        builder = getattr(import_module(f"hetsim.workload.zoo.{module}"), function)
        model: ModelProto = builder(*arguments)
        return model

    return build


@dataclass(frozen=True, slots=True)
class ZooModel:
    """One network of the zoo.

    ``macs`` and ``parameters``: the published figures, multiply-accumulates of one inference and
    trained parameters. ``file``: stem of the shipped ONNX file, or ``build`` makes the model.
    ``comparable``: which of the two figures the graph reaches. ``ai_hub``: what the network is
    called in the tables of measurements of qualcomm/ai-hub-models, with its component where it has
    several (``whisper_tiny/HfWhisperEncoder``).
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
    ai_hub: str = ""
