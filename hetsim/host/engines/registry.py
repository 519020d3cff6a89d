"""The engines by the names that verbs take."""

from __future__ import annotations

from hetsim.host.engines.base import Engine
from hetsim.host.engines.onnxruntime import OnnxRuntime
from hetsim.host.engines.openvino import OpenVino

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (OnnxRuntime, OpenVino)}
DEFAULT_ENGINE = OnnxRuntime.name
