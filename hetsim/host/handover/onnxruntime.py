"""Running an exported plan with ONNX Runtime, and reading its profiles.

``parts``: a session for every partition, in the plan's order, each with the provider that the plan
means. ``whole``: one session of the annotated model. Both are held against the whole model on the
CPU, which nobody assigned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hetsim.cost.measured.readers.ort import SUFFIX, kernel_events
from hetsim.errors import HetsimError, Location, ResultsError
from hetsim.host.deviation import deviation
from hetsim.host.handover.evidence import Evidence, Kernel, is_evidence, parse_evidence
from hetsim.host.handover.folder import read_whole
from hetsim.host.handover.providers import CPU, need, open_placed
from hetsim.host.network import random_feeds
from hetsim.host.session import runtime
from hetsim.infiles import read_text
from hetsim.plan.handover.assignment import AssignedNode, Assignment
from hetsim.plan.handover.onnxruntime import WHOLE, session_options
from hetsim.plan.handover.submodels import part_file
from hetsim.plan.handover.targets import Target
from hetsim.records import parse_json

PROBED = 64
"""Different nodes (kind and shapes) that are tried alone to learn why a provider left them."""


def run(directory: Path, assignment: Assignment, *, whole: bool, seed: int) -> Evidence:
    """Runs what ``plan export --to onnxruntime`` wrote.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ConfigError: a provider is not.
        ResultsError: the directory is incomplete, or its model is not the one that was assigned.
        WorkloadError: ONNX Runtime cannot run a model.
    """
    need(assignment.targets.values())
    model = read_whole(directory, assignment)
    feeds = random_feeds(model, seed)
    plain = open_placed(directory / WHOLE, [Target(CPU)], assignment.model, directory)
    wanted = list(assignment.outputs)
    expected = dict(zip(wanted, plain.run(wanted, feeds), strict=True))
    assigned: dict[str, str] = {}
    if whole:
        session = _whole_session(directory, assignment)
        made = dict(zip(wanted, session.run(wanted, feeds), strict=True))
        assigned |= _assigned(session)
    else:
        values = dict(feeds)
        for position, part in enumerate(assignment.parts):
            session = open_placed(
                directory / part_file(position), [assignment.targets[part.pu]],
                f"{assignment.model}/{part.name}", directory,
            )  # fmt: skip
            names = list(part.outputs)
            results = session.run(names, {name: values[name] for name in part.inputs})
            values |= dict(zip(names, results, strict=True))
            assigned |= _assigned(session)
        made = {name: values[name] for name in wanted}
    return Evidence(
        "onnxruntime",
        runtime().__version__,
        tuple(dict.fromkeys([*(t.name for t in assignment.targets.values()), CPU])),
        assigned,
        refused=_probe(directory, model, assignment, assigned),
        deviation=deviation(made, expected),
    )


def _whole_session(directory: Path, assignment: Assignment) -> Any:
    """One session of the annotated model."""
    settings: Mapping[str, str] = session_options(assignment)["session_options"]
    targets = {target.name: target for target in assignment.targets.values()}
    return open_placed(
        directory / WHOLE, list(targets.values()), assignment.model, directory, settings
    )


def _assigned(session: Any) -> dict[str, str]:
    """Provider of every node, as the session recorded it when it placed them."""
    return {
        node.name: part.ep_name
        for part in session.get_provider_graph_assignment_info()
        for node in part.get_nodes()
    }


def _probe(
    directory: Path, model: Any, assignment: Assignment, assigned: Mapping[str, str]
) -> dict[str, str]:
    """Tries nodes alone that ran elsewhere: does their provider take them at all?"""
    from onnx.utils import Extractor

    elsewhere: dict[tuple[str, str, str], list[AssignedNode]] = {}
    protos = {node.name: node for node in model.graph.node}
    extractor = Extractor(model)
    for node in assignment.nodes:
        target = assignment.target_of(node)
        if target is None or assigned.get(node.name, target.name) == target.name:
            continue
        shapes = ", ".join(_typed(extractor, tensor) for tensor in node.inputs)
        elsewhere.setdefault((target.name, node.kind, shapes), []).append(node)
    refused: dict[str, str] = {}
    targets = {target.name: target for target in assignment.targets.values()}
    for (name, kind, shapes), nodes in list(elsewhere.items())[:PROBED]:
        try:
            alone = _alone(extractor, protos[nodes[0].name])
            session = open_placed(alone, [targets[name]], kind, directory)
        except (HetsimError, KeyError):
            continue
        takes = name in _assigned(session).values()
        told = (
            f"{name} takes {kind}({shapes}) alone and left it here"
            if takes
            else f"{name} does not take {kind}({shapes})"
        )
        refused.update((node.name, told) for node in nodes)
    return refused


def _alone(extractor: Any, node: Any) -> bytes:
    """A model of a single node; raises ``KeyError`` when a tensor's type is not known."""
    from onnx import ModelProto

    source = extractor.model
    result = ModelProto(ir_version=source.ir_version)
    result.opset_import.extend(source.opset_import)
    result.graph.name = node.name
    result.graph.node.append(node)
    for tensor in dict.fromkeys(t for t in node.input if t):
        if tensor in extractor.wmap:
            result.graph.initializer.append(extractor.wmap[tensor])
        else:
            result.graph.input.append(extractor.vimap[tensor])
    result.graph.output.extend(extractor.vimap[t] for t in node.output if t)
    content: bytes = result.SerializeToString()
    return content


def _typed(extractor: Any, tensor: str) -> str:
    from onnx import TensorProto

    if tensor in extractor.wmap:
        weight = extractor.wmap[tensor]
        return f"{TensorProto.DataType.Name(weight.data_type).lower()}{list(weight.dims)}"
    info = extractor.vimap.get(tensor)
    if info is None:
        return "?"
    kind = info.type.tensor_type
    dims = [dim.dim_value for dim in kind.shape.dim]
    return f"{TensorProto.DataType.Name(kind.elem_type).lower()}{dims}"


def read(files: Sequence[Path]) -> Evidence:
    """Reads what ONNX Runtime said: a record of ``plan run``, or profiles and optimised models.

    A profile is the JSON of ``SessionOptions.enable_profiling``; an ``.onnx`` file is the model of
    ``optimized_model_filepath``, which tells what the kernels of a profile make.

    Raises:
        ResultsError: nothing that names a kernel.
        ConfigError: a profile without kernels, or no JSON.
    """
    made: dict[str, tuple[str, ...]] = {}
    kernels: dict[str, Kernel] = {}
    for file in files:
        if file.suffix == ".onnx":
            from hetsim.workload.onnx.read import read_model

            nodes = read_model(file).graph.node
            made |= {node.name: tuple(filter(None, node.output)) for node in nodes}
            continue
        text = read_text(file)
        if is_evidence(parse_json(text, str(file), error=ResultsError, ours=False)):
            return parse_evidence(text, file, "onnxruntime")
        for event in kernel_events(text, Location(str(file))):
            told = event.get("args", {})
            name = str(event["name"]).removesuffix(SUFFIX)
            place, kind = str(told.get("provider", "")), str(told.get("op_name", ""))
            kernels[name] = Kernel(name, kind, place)
    if not kernels:
        raise ResultsError("no profile among the files", where=Location(str(files[0])))
    known = [Kernel(k.name, k.kind, k.place, made.get(k.name, ())) for k in kernels.values()]
    return Evidence("onnxruntime", kernels=tuple(known))
