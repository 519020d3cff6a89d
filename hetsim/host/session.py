"""ONNX Runtime sessions, made the same way wherever hetsim runs something for real."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import MissingExtraError, WorkloadError
from hetsim.names import distinct_name

if TYPE_CHECKING:
    from onnx import ModelProto


_NODE = re.compile(
    r"implementation for (\w+)\(|op_type[: ]+(\w+)|Op \((\w+)\)|Op:(\w+)|for op (\w+)"
    r"|(\w+)\(-?\d+\) is not a registered|Type Error: .*operator \((\w+)\)"
)


def runtime() -> Any:
    """The ``onnxruntime`` module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError.for_extra("onnxruntime", "measure", "measuring") from None
    return onnxruntime


@cache
def _share_memory() -> None:
    """One arena for the scratch memory of all sessions, as a deployed runtime has.

    With an arena each, every partition would start in memory that its core's cache does not hold.
    """
    ort = runtime()
    info = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    ort.create_and_register_allocator(info, None)


def open_session(
    model: ModelProto,
    name: str,
    *,
    threads: int = 1,
    level: str = "basic",
    profile: Path | None = None,
    optimised: Path | None = None,
) -> Any:
    """An ``InferenceSession`` on ``threads`` CPU threads.

    ``profile`` is the beginning of the file that ``end_profiling`` will write, ``optimised`` the
    file for the graph that is really run. Threads do not
    spin while they wait: with one session per partition they would take the cores of others.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        WorkloadError: it cannot run the model; names the operator.
    """
    ort = runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    options.graph_optimization_level = {
        "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        "as it stands": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    }[level]
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
    try:
        return ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise cannot_run(name, error) from error


def optimised_model(model: ModelProto, name: str, level: str, file: Path) -> ModelProto:
    """The graph that the runtime makes of ``model`` at ``level``, each node with its own name.

    Nodes that it makes while it inlines functions have none, and its profile would count them.
    ``file`` is where it is written meanwhile. Raises like :func:`open_session`.
    """
    from onnx import load

    open_session(model, name, level=level, optimised=file)
    ran: ModelProto = load(str(file))
    taken = {node.name.lower() for node in ran.graph.node}
    seen: set[str] = set()
    for i, node in enumerate(ran.graph.node):
        if not node.name or node.name in seen:
            node.name = distinct_name(f"{node.op_type}_{i}", taken)
        seen.add(node.name)
    return ran


def cannot_run(name: str, error: Exception) -> WorkloadError:
    """The error for a model that ONNX Runtime refuses; names the operator when it can be told."""
    text = " ".join(str(error).split())
    found = _NODE.search(text)
    kind = next((group for group in found.groups() if group), None) if found else None
    what = f"operator {kind} of {name}" if kind else name
    return WorkloadError(
        f"ONNX Runtime cannot run {what}: {text[:300]}",
        hint="cut the operator out of the network, or measure without this network",
    )
