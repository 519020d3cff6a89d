"""Execution providers of the installed ONNX Runtime: built in, or plug-ins of their own package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError
from hetsim.host.session import cannot_run, runtime
from hetsim.names import suggest
from hetsim.plan.handover.targets import Target

PLUGINS = "onnxruntime-ep-"
"""How packages are called that bring a provider as a plug-in."""

CPU = "CPUExecutionProvider"

OWN_OPTIONS = ("threads", "device", "library")
"""Options of a target that are no provider's: CPU threads, the device (CPU, GPU, NPU) that a
plug-in which has several is to use, and the file of a plug-in that no package brings."""


TELLS, ASSIGNS = (1, 24), (1, 25)
"""Versions of ONNX Runtime from which on it says who got a node, and lets a model say it."""


def need(targets: Iterable[Target], version: tuple[int, int] = TELLS) -> None:
    """Makes providers ready to be used, by an ONNX Runtime of at least ``version``.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ConfigError: it is older; a provider is not installed; a plug-in cannot be loaded.
    """
    here = str(runtime().__version__)
    if tuple(map(int, here.split(".")[:2])) < version:
        needed = ".".join(map(str, version))
        raise ConfigError(
            f"ONNX Runtime {here} is too old: {needed} or later is needed",
            hint="1.24 says where nodes went, 1.25 takes models with assigned nodes (--whole)",
        )
    wanted: dict[str, None] = {}
    for target in targets:
        wanted[target.name] = None
        if "library" in target.options:
            _register(target.name, Path(target.options["library"]))
            installed.cache_clear()
    missing = [name for name in wanted if name not in installed()]
    if missing:
        _load_plugins()
        installed.cache_clear()
        missing = [name for name in wanted if name not in installed()]
    if missing:
        known = installed()
        raise ConfigError(
            f"ONNX Runtime {runtime().__version__} here has no {', '.join(missing)}",
            hint=f"{suggest(missing[0], known)}; others come with the packages"
            f" onnxruntime-gpu, onnxruntime-openvino, {PLUGINS}*, ...",
        )


@cache
def installed() -> tuple[str, ...]:
    """Providers that sessions can be given now."""
    return tuple(runtime().get_available_providers())


@cache
def _register(name: str, library: Path) -> None:
    try:
        runtime().register_execution_provider_library(name, str(library.resolve()))
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        raise ConfigError(f"{name} cannot be loaded from {library}: {text}") from error


@cache
def _load_plugins() -> None:
    """Registers the libraries of installed plug-in packages; one that fails is not there."""
    for found in distributions():
        name = found.metadata["Name"] or ""
        if name.lower().startswith(PLUGINS):
            module = name.lower().replace("-", "_")
            try:
                library = import_module(module).get_library_path()
                runtime().register_execution_provider_library(module, library)
            except Exception:  # of another version, for other hardware: then it is not listed
                continue


def open_placed(
    model: bytes | Path,
    targets: Sequence[Target],
    label: str,
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> Any:
    """An ``InferenceSession`` that prefers ``targets`` in order and falls back to the CPU.

    ``folder`` holds the weights that the model names; ``settings`` are session options by name.

    Raises:
        WorkloadError: ONNX Runtime refuses the model; says which operator, where it does.
    """
    ort = runtime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    entries = {"session.record_ep_graph_assignment_info": "1", **(settings or {})}
    if isinstance(model, bytes):
        entries["session.model_external_initializers_file_folder_path"] = str(folder)
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    providers: list[Any] = []
    plugged = False
    for target in targets:
        if "threads" in target.options:
            options.intra_op_num_threads = _whole(target.options["threads"])
        own = {k: v for k, v in target.options.items() if k not in OWN_OPTIONS}
        devices = _devices(target)
        if devices:
            options.add_provider_for_devices(devices, own)
            plugged = True
        elif target.name != CPU:
            providers.append((target.name, own))
    # A session takes either plug-ins' devices, behind which the CPU stands anyway, or names.
    more = {} if plugged else {"providers": [*providers, CPU]}
    try:
        source = model if isinstance(model, bytes) else str(model)
        return ort.InferenceSession(source, options, **more)
    except Exception as error:
        raise cannot_run(label, error) from error


def assigned_nodes(session: Any) -> dict[str, str]:
    """Provider of every node, as the session recorded it when it placed them."""
    return {
        node.name: part.ep_name
        for part in session.get_provider_graph_assignment_info()
        for node in part.get_nodes()
    }


def _devices(target: Target) -> list[Any]:
    """Devices of a plug-in; none for providers that are built in."""
    ort = runtime()
    if target.name == CPU or not hasattr(ort, "get_ep_devices"):
        return []
    devices = [d for d in ort.get_ep_devices() if d.ep_name == target.name]
    wanted = target.options.get("device")
    if wanted is None or not devices:
        return devices[:1]
    fitting = [d for d in devices if str(d.device.type).endswith(f"_{wanted}")
               or d.device.type.name == wanted]  # fmt: skip
    if not fitting:
        kinds = ", ".join(dict.fromkeys(d.device.type.name for d in devices))
        raise ConfigError(f"{target.name} has no device {wanted!r} here", hint=f"it has: {kinds}")
    return fitting[:1]


def _whole(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ConfigError(f"threads={text}: a whole number above zero was expected")
    return int(text)
