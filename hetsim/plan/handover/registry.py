"""Exporters of plans by name.

A new one is a subclass of :class:`~hetsim.plan.handover.base.Exporter`, registered under the
entry-point group ``hetsim.plan_exporters`` (name = what ``--to`` says, value = the class).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import installed, registered

if TYPE_CHECKING:
    from hetsim.plan.handover.base import Exporter

GROUP = "hetsim.plan_exporters"
"""Entry-point group of further exporters."""

BUILT_IN = {
    "json": "hetsim.plan.handover.plain:Plain",
    "onnxruntime": "hetsim.plan.handover.onnxruntime:OnnxRuntime",
    "openvino": "hetsim.plan.handover.openvino:OpenVino",
    "nest-c": "hetsim.plan.handover.nestc:NestC",
}


def exporter_names() -> tuple[str, ...]:
    """What ``--to`` may say; nothing is imported."""
    return (*BUILT_IN, *(point.name for point in installed(GROUP)))


def find_exporter(name: str) -> Exporter:
    """The exporter called ``name``.

    Raises:
        ConfigError: there is none, or an entry point fails to load, is no ``Exporter``, or takes a
            name in use.
    """
    from hetsim.plan.handover.base import Exporter

    found = registered(GROUP, Exporter, BUILT_IN, "exporter")  # type: ignore[type-abstract]
    if name not in found:
        raise ConfigError(f"unknown exporter {name!r}", hint=suggest(name, found))
    return found[name]()
