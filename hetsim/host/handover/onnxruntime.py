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
from hetsim.errors import Location, ResultsError, WorkloadError
from hetsim.host.deviation import deviation
from hetsim.host.handover.evidence import Evidence, Kernel, is_evidence, parse_evidence
from hetsim.host.handover.folder import need_files, read_whole
from hetsim.host.handover.probe import refusals
from hetsim.host.handover.providers import ASSIGNS, CPU, TELLS, assigned_nodes, need, open_placed
from hetsim.host.network import random_feeds
from hetsim.host.session import runtime
from hetsim.infiles import read_text
from hetsim.plan.handover.assignment import Assignment
from hetsim.plan.handover.onnxruntime import session_options
from hetsim.plan.handover.submodels import WHOLE, part_file
from hetsim.plan.handover.targets import Target
from hetsim.records import parse_json


def run(directory: Path, assignment: Assignment, *, whole: bool, seed: int) -> Evidence:
    """Runs what ``plan export --to onnxruntime`` wrote.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ConfigError: a provider is not.
        ResultsError: the directory is incomplete, or its model is not the one that was assigned.
        WorkloadError: ONNX Runtime cannot run a model.
    """
    need(assignment.targets.values(), ASSIGNS if whole else TELLS)
    model = read_whole(directory, assignment)
    need_files(directory, [] if whole else map(part_file, range(len(assignment.parts))))
    feeds = random_feeds(model, seed)
    plain = open_placed(directory / WHOLE, [Target(CPU)], assignment.model, directory)
    wanted = list(assignment.outputs)
    expected = dict(zip(wanted, plain.run(wanted, feeds), strict=True))
    assigned: dict[str, str] = {}
    within: dict[str, str] = {}
    if whole:
        session = _whole_session(directory, assignment)
        made = dict(zip(wanted, session.run(wanted, feeds), strict=True))
        assigned |= assigned_nodes(session)
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
            placed = assigned_nodes(session)
            copies = {n.name for n in assignment.nodes if n.copied and n.part != position}
            assigned |= {name: place for name, place in placed.items() if name not in copies}
            if len(set(placed.values())) == 1:
                place = next(iter(placed.values()))
                within |= {node.name: place for node in assignment.nodes if node.part == position}
        made = {name: values[name] for name in wanted}
    return Evidence(
        "onnxruntime",
        runtime().__version__,
        tuple(dict.fromkeys([*(t.name for t in assignment.targets.values()), CPU])),
        assigned,
        within={name: place for name, place in within.items() if name not in assigned},
        refused=refusals(directory, model, assignment, assigned),
        deviation=deviation(made, expected),
    )


def _whole_session(directory: Path, assignment: Assignment) -> Any:
    """One session of the annotated model."""
    settings: Mapping[str, str] = session_options(assignment)["session_options"]
    targets = {target.name: target for target in assignment.targets.values()}
    try:
        return open_placed(
            directory / WHOLE, list(targets.values()), assignment.model, directory, settings
        )
    except WorkloadError as error:
        error.hint = (
            "providers that are plug-ins take no model whose nodes are assigned one by one"
            " (ONNX Runtime 1.32); without --whole the partitions run as models of their own"
        )
        raise


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
