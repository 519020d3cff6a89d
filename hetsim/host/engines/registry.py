"""The engines by name.

A new one is a subclass of :class:`~hetsim.host.engines.base.Engine`, registered under the
entry-point group ``hetsim.engines`` (name = what ``profile --measure`` and ``verify --engine`` say,
value = the class).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import installed, registered

if TYPE_CHECKING:
    from hetsim.host.engines.base import Engine

GROUP = "hetsim.engines"
"""Entry-point group of further engines."""

BUILT_IN = {
    "onnxruntime": "hetsim.host.engines.onnxruntime:OnnxRuntime",
    "openvino": "hetsim.host.engines.openvino:OpenVino",
}
DEFAULT_ENGINE = "onnxruntime"


def engine_names() -> tuple[str, ...]:
    """What verbs may say; nothing is imported."""
    return (*BUILT_IN, *(point.name for point in installed(GROUP)))


def find_engine(name: str) -> Engine:
    """The engine called ``name``.

    Raises:
        ConfigError: there is none, or an entry point fails to load, is no ``Engine``, or takes a
            name in use.
    """
    from hetsim.host.engines.base import Engine

    found = registered(GROUP, Engine, BUILT_IN, "engine")  # type: ignore[type-abstract]
    if name not in found:
        raise ConfigError(f"unknown engine {name!r}", hint=suggest(name, found))
    return found[name]()
