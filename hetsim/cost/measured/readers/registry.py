"""The foreign profile formats by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from hetsim.cost.measured.readers.base import Reader, Request
from hetsim.cost.measured.table import ProfileTable
from hetsim.errors import ConfigError
from hetsim.names import suggest

FORMATS: Mapping[str, str] = {
    "nestc": "hetsim.cost.measured.readers.nestc:read",
    "autotvm": "hetsim.cost.measured.readers.autotvm:read",
    "ort": "hetsim.cost.measured.readers.ort:read",
    "tflite": "hetsim.cost.measured.readers.tflite:read",
    "openvino": "hetsim.cost.measured.readers.openvino:read",
    "csv": "hetsim.cost.measured.readers.tabular:read",
}
"""Module and function of every format; a new one is a line here and a file beside this."""


def import_profiles(name: str, request: Request) -> list[ProfileTable]:
    """Reads foreign profiles: one table per device they speak of.

    Raises:
        ConfigError: unknown format, unreadable file, nothing in it that can be used.
    """
    if name not in FORMATS:
        raise ConfigError(f"unknown profile format {name!r}", hint=suggest(name, FORMATS))
    module, _, function = FORMATS[name].partition(":")
    reader: Reader = getattr(import_module(module), function)
    return reader(request)
