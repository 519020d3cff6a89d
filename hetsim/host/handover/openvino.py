"""Running an exported plan with OpenVINO's HETERO, every node pinned to the device of the plan.

OpenVINO tells which submodel each kernel belongs to (profiling), which nodes of the file a kernel
was made of (the runtime model), and, in the header of a compiled model, the device of every
submodel. The three together are where each node ran. Nodes that lost their names on the way are
found in the drawing that HETERO makes of its submodels.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError, Location, MissingExtraError, ResultsError, WorkloadError
from hetsim.host.deviation import deviation
from hetsim.host.handover.evidence import Evidence, parse_evidence
from hetsim.host.handover.folder import read_whole
from hetsim.host.network import random_feeds
from hetsim.infiles import read_text
from hetsim.plan.handover.assignment import AssignedNode, Assignment
from hetsim.plan.handover.openvino import affinities
from hetsim.plan.handover.submodels import WHOLE
from hetsim.plan.handover.targets import Target

LIBRARY = "library"
"""Option of a target: the plug-in that is to stand behind a device name of one's own.

``cpu2=CPU2:library=openvino_intel_cpu_plugin`` makes a second device of the same CPU; the name has
to begin with the device that the plug-in is for.
"""

LAYERS = "originalLayersNames"
"""Runtime information that says which nodes a kernel is made of. Set beforehand, it survives when a
plug-in folds nodes and gives the result a name of its own."""

DRAW = "OPENVINO_HETERO_VISUALIZE"
DRAWINGS = "hetero_subgraphs_*.dot"

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
"""The reference computes in the file's own precision; a CPU may otherwise round to bfloat16."""

_DEVICES = re.compile(rb'<compiled_submodel device="([^"]*)"')
_NODE = re.compile(r'label="([^"\\]+)\\n[^"]*?\\nsubgraph=\d+\\ndevice=([^"\\]+)"')
_SUBMODEL = re.compile(r"subgraph(\d+): (.*)", re.DOTALL)


def run(directory: Path, assignment: Assignment, *, whole: bool, seed: int) -> Evidence:
    """Runs what ``plan export --to openvino`` wrote; always the whole model at once.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        ConfigError: a device is not there.
        ResultsError: the directory is incomplete, or its model is not the one that was assigned.
        WorkloadError: OpenVINO cannot run the model.
    """
    openvino = _openvino()
    whole_file = str((directory / WHOLE).resolve())
    checked = read_whole(directory, assignment)
    feeds = random_feeds(checked, seed)
    core = openvino.Core()
    _prepare(core, assignment.targets.values())
    try:
        model = core.read_model(whole_file)
        _fold_constants(model)
        origin = _origin(model, assignment)
        refused = _pin(core, model, assignment, origin)
        devices = affinities(assignment)["device"]
        with _drawn() as drawing:
            compiled = core.compile_model(model, devices, {"PERF_COUNT": "YES"})
            submodels = _submodels(sorted(drawing.glob(DRAWINGS)))
        request = compiled.create_infer_request()
        made = _results(request, compiled, feeds)
        plain = core.compile_model(core.read_model(whole_file), "CPU", EXACT)
        expected = _results(plain.create_infer_request(), plain, feeds)
        assigned = _where(compiled, request, origin)
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise WorkloadError(
            f"OpenVINO cannot run {assignment.model}: {text[-400:]}",
            where=Location(str(directory / WHOLE)),
        ) from error
    places = tuple(dict.fromkeys(target.name for target in assignment.targets.values()))
    return Evidence(
        "openvino",
        openvino.__version__.partition("-")[0],
        places,
        assigned,
        within={
            node.name: device
            for name, device in submodels.items()
            for node in origin.get(name, ())
            if node.name not in assigned
        },
        refused=refused,
        deviation=deviation(made, expected),
    )


def read(files: Sequence[Path]) -> Evidence:
    """Reads a record of ``plan run -o``, or the drawings that HETERO makes of its submodels.

    The environment variable ``OPENVINO_HETERO_VISUALIZE=YES`` makes it write
    ``hetero_subgraphs_*.dot`` while it compiles; nodes in them bear the names of the file's.

    Raises:
        ResultsError: none of both; a drawing that shows no device.
    """
    if files[0].suffix != ".dot":
        return parse_evidence(read_text(files[0]), files[0], "openvino")
    found = _submodels(files)
    if not found:
        raise ResultsError(
            "it shows no node with a device",
            where=Location(str(files[0])),
            hint="hetero_subgraphs_*.dot of OPENVINO_HETERO_VISUALIZE=YES was expected",
        )
    return Evidence("openvino", assigned=found)


@contextlib.contextmanager
def _drawn() -> Iterator[Path]:
    """A directory into which HETERO draws its submodels: it does so where the process stands."""
    before = os.environ.get(DRAW)
    os.environ[DRAW] = "YES"
    try:
        with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
            yield Path(place)
    finally:
        os.environ.pop(DRAW)
        if before is not None:
            os.environ[DRAW] = before


def _submodels(drawings: Sequence[Path]) -> dict[str, str]:
    """The device of every node that is drawn, by friendly name."""
    return {match[1]: match[2] for file in drawings for match in _NODE.finditer(read_text(file))}


def _openvino() -> Any:
    try:
        import openvino
    except ImportError:
        raise MissingExtraError.for_extra("openvino", "openvino", "running with OpenVINO") from None
    return openvino


def _prepare(core: Any, targets: Any) -> None:
    """Makes the devices of ``targets`` known, with their options."""
    wanted: dict[str, Target] = {target.name: target for target in targets}
    for name, target in wanted.items():
        if LIBRARY in target.options:
            try:
                core.register_plugin(target.options[LIBRARY], name)
            except RuntimeError as error:
                text = " ".join(str(error).split())[-200:]
                raise ConfigError(f"device {name} cannot be made: {text}") from error
    known = list(core.available_devices)
    for name, target in wanted.items():
        if name not in known and f"{name}.0" not in known:
            raise ConfigError(
                f"OpenVINO has no device {name} here",
                hint=f"it has: {', '.join(known)}; a second device of one plug-in is made with"
                f" --map PU=CPU2:{LIBRARY}=openvino_intel_cpu_plugin",
            )
        own = {key: value for key, value in target.options.items() if key != LIBRARY}
        if own:
            core.set_property(name, own)


def _fold_constants(model: Any) -> None:
    """Computes what depends on no input: devices would have to hand weights over otherwise."""
    from openvino import passes

    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(model)


def _origin(model: Any, assignment: Assignment) -> dict[str, tuple[AssignedNode, ...]]:
    """The nodes of the file that each of OpenVINO's nodes stands for, by friendly name.

    Tensors keep their names, several where views are gone; an operator comes first. One node of
    the file may become several: those between have no such name and belong to what reads them;
    constants and inputs belong there, too.
    """
    maker = {t: n for n in assignment.nodes if not n.copied for t in n.outputs}
    origin: dict[str, tuple[AssignedNode, ...]] = {}
    for op in reversed(model.get_ordered_ops()):
        ports = [op.input_value(0)] if op.get_type_name() == "Result" else op.outputs()
        tensors = [name for port in ports for name in sorted(port.get_names())]
        nodes = {maker[t].name: maker[t] for t in tensors if t in maker}
        found = tuple(sorted(nodes.values(), key=lambda node: node.role != "operator"))
        if not found:
            readers = [i.get_node() for out in op.outputs() for i in out.get_target_inputs()]
            known = (origin.get(reader.get_friendly_name()) for reader in readers)
            found = next((nodes[:1] for nodes in known if nodes), ())
        origin[op.get_friendly_name()] = found
    return origin


def _pin(
    core: Any, model: Any, assignment: Assignment, origin: Mapping[str, tuple[AssignedNode, ...]]
) -> dict[str, str]:
    """Sets the device of every node; one that its device does not take goes to one that does.

    Returns what to say of the nodes that were refused.
    """
    devices = list(dict.fromkeys(target.name for target in assignment.targets.values()))
    takes = {device: set(core.query_model(model, device)) for device in devices}
    planned: dict[str, str] = {}
    refused: dict[str, str] = {}
    for op in model.get_ops():
        name = op.get_friendly_name()
        for node in origin[name][:1]:
            target = assignment.target_of(node)
            device = planned.setdefault(node.name, target.name if target else devices[0])
            others = [other for other in devices if name in takes[other]]
            if name not in takes[device] and others:
                planned[node.name] = others[0]
                refused[node.name] = f"{device} takes no {op.get_type_name()} like this"
    for op in model.get_ops():
        nodes = origin[op.get_friendly_name()]
        op.get_rt_info()[LAYERS] = op.get_friendly_name()
        op.get_rt_info()["affinity"] = planned[nodes[0].name] if nodes else devices[0]
    return refused


def _results(request: Any, compiled: Any, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs by the position that they have in the model."""
    taken = {}
    for port in compiled.inputs:
        name = next(name for name in port.get_names() if name in feeds)
        taken[port] = feeds[name]
    found = request.infer(taken)
    return {str(i): found[port].copy() for i, port in enumerate(compiled.outputs)}


def _where(
    compiled: Any, request: Any, origin: Mapping[str, tuple[AssignedNode, ...]]
) -> dict[str, str]:
    """The device of every node of the file that became part of a kernel."""
    devices = [name.decode() for name in _DEVICES.findall(bytes(_exported(compiled))[: 2**20])]
    parts = {}
    for op in compiled.get_runtime_model().get_ordered_ops():
        info = op.get_rt_info()
        if LAYERS in info:
            parts[op.get_friendly_name()] = str(info[LAYERS].astype(str)).split(",")
    assigned: dict[str, str] = {}
    for entry in request.profiling_info:
        match = _SUBMODEL.fullmatch(entry.node_name)
        number, name = (int(match[1]), match[2]) if match else (0, entry.node_name)
        if number < len(devices):
            for one in parts.get(name, [name]):
                for node in origin.get(one, ()):
                    assigned.setdefault(node.name, devices[number])
    return assigned


def _exported(compiled: Any) -> Any:
    """The compiled model as bytes; its header names the submodels."""
    found = compiled.export_model()
    return found if isinstance(found, bytes) else found.getvalue()
