"""Plans whose nodes bear other names: what is matched by rule is right, the rest is told."""

from __future__ import annotations

import random
import runpy
import sys
from itertools import product
from pathlib import Path

import pytest

import hetsim
from hetsim.cli.main import entry
from hetsim.errors import PlanError
from hetsim.plan.anyfile import proposed_map, read_plan
from hetsim.plan.nestc.nodemap import Match, NodeMap, dump_node_map, read_node_map
from hetsim.plan.nestc.reader import propose_node_map, read_nestc_plan
from hetsim.soc.loader import load_soc
from hetsim.workload.graph import Graph
from hetsim.workload.zoo import load_model
from tests.plan.samples import graph_of, soc_of

SOC = load_soc("zcu102-vta")
RESNET = load_model("resnet18")
GOOGLENET = load_model("googlenet")
INCEPTION = load_model("inception_v3")  # with windows that are too wide to search
MOBILENET = load_model("mobilenet_v2")

WORDS = {
    "Conv": "conv", "Relu": "relu", "Clip": "relu", "MaxPool": "maxpool", "AveragePool": "avgpool",
    "GlobalAveragePool": "avgpool", "Add": "plus", "Gemm": "dense", "Concat": "concat",
    "LRN": "lrn", "Softmax": "softmax",
}  # fmt: skip


def shuffled(graph: Graph, seed: int) -> list[int]:
    """Some order in which every operator comes after what it waits for."""
    rng = random.Random(seed)
    waits = [len(p) for p in graph.predecessors]
    ready = [op for op, n in enumerate(waits) if not n]
    order = []
    while ready:
        op = ready.pop(rng.randrange(len(ready)))
        order.append(op)
        for reader in graph.successors[op]:
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)
    return order


def plan_text(names: list[str], partitions: list[int], backends: list[str]) -> str:
    """A plan of named nodes, folded as the compiler does, the dummy partition at its end."""
    nodes = [f"{name}-{number}" for name, number in zip(names, partitions, strict=True)]
    count = len(backends)
    lines = [
        "---",
        "funcName: made_up.onnx",
        f"numOfPartitions: {count + 1}",
        f"backendNames: {':'.join([*backends, 'CPU'])}",
        f"partitionNames: {':'.join(f'p{i}' for i in range(count + 1))}",
        "nodeToPartition: " + " \n  :".join(nodes),
        f"logicalIDs: {':'.join(['0'] * (count + 1))}",
    ]
    return "\n".join([*lines, "...", ""])


def on_one_cpu(folder: Path, names: list[str]) -> Path:
    path = folder / "plan.yaml"
    path.write_text(plan_text(names, [0] * len(names), ["CPU"]))
    return path


def numbered(graph: Graph) -> dict[int, str]:
    """Names with a running number for each kind, and the suffix of a compiler."""
    counts: dict[str, int] = {}
    names = {}
    for i, op in enumerate(graph.operators):
        word = WORDS[op.kind]
        names[i] = f"net0_{word}{counts.setdefault(word, 0)}_fwd__1"
        counts[word] += 1
    return names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("graph", "seed"),
    [*product((RESNET, GOOGLENET, MOBILENET), range(2)), (INCEPTION, 0)],
    ids=lambda found: getattr(found, "name", None),
)
def test_running_numbers_settle_every_node_in_any_order(tmp_path, graph, seed):
    names = numbered(graph)
    path = on_one_cpu(tmp_path, [names[op] for op in shuffled(graph, seed)])
    found = propose_node_map(path, graph)
    truth = {names[i]: (op.name,) for i, op in enumerate(graph.operators)}
    assert {match.node: match.operators for match in found.matches} == truth
    assert {match.how for match in found.matches} == {"rule"}
    assert found.ordered == found.dependencies > 0
    assert read_nestc_plan(path, graph, SOC).plan.partitions[0].pu == "cpu"


@pytest.mark.slow
@pytest.mark.parametrize("graph", [RESNET, GOOGLENET], ids=lambda g: g.name)
@pytest.mark.parametrize("seed", range(3))
def test_names_that_tell_only_the_kind_are_matched_by_rule_where_that_is_certain(
    tmp_path, graph, seed
):
    """Letters instead of numbers: a match by rule is right, and branches are told as guessed."""
    words = {i: f"q{chr(97 + i % 26)}{chr(97 + i // 26)}_{WORDS[op.kind]}"
             for i, op in enumerate(graph.operators)}  # fmt: skip
    path = on_one_cpu(tmp_path, [words[op] for op in shuffled(graph, seed)])
    found = propose_node_map(path, graph)
    truth = {words[i]: (op.name,) for i, op in enumerate(graph.operators)}
    certain = [match for match in found.matches if match.how == "rule"]
    assert all(match.operators == truth[match.node] for match in certain)
    guessed = [match.node for match in found.matches if match.how == "position"]
    assert guessed
    notes = read_nestc_plan(path, graph, SOC).notes
    assert f"{len(guessed)} by position" in notes[0]
    assert any(note.startswith("nodes matched by position") for note in notes)


def inception_names(graph: Graph) -> tuple[dict[int, str], dict[str, set[str]]]:
    """Kind first, then the block and the kernel, as converters from Caffe2 name nodes; and truth.

    The activations behind a block's last convolutions are one node behind its Concat.
    """
    names: dict[int, str] = {}
    truth: dict[str, set[str]] = {}
    block, moved = 0, set()
    for i, op in enumerate(graph.operators):
        above = [graph.operators[p] for p in graph.predecessors[i]]
        below = [r for s in graph.successors[i] for r in (s, *graph.successors[s])]
        if op.kind == "Conv":
            k = op.nest.k_h
            bigger = [b.nest.k_h for r in below if (b := graph.operators[r]).kind == "Conv"]
            alone = [p for p in graph.predecessors[i] if graph.successors[p] == (i,)]
            label = f"{k}x{k}"
            if k == 1 and bigger and max(bigger) > 1 and len(below) < 4:
                label = f"{max(bigger)}x{max(bigger)}_reduce"
            elif above and above[0].kind == "MaxPool" and alone:
                label = "pool_proj"
            names[i] = f"Conv_block{block}_{label}_1__2"
        elif op.kind == "Relu":
            names[i] = (
                names[graph.predecessors[i][0]].replace("Conv", "Relu").replace("_1__2", "_2")
            )
            if any(graph.operators[r].kind == "Concat" for r in graph.successors[i]):
                moved.add(i)
        else:
            names[i] = f"{op.kind}_block{block}_{i}x_1"
        block += op.kind in ("Concat", "LRN")
        if i not in moved:
            truth[names[i]] = {op.name}
    return names, truth


@pytest.mark.slow
def test_kernels_and_labels_settle_branches_and_moved_activations(tmp_path):
    names, truth = inception_names(GOOGLENET)
    nodes: list[str] = []
    for op in shuffled(GOOGLENET, 5):
        kind = GOOGLENET.operators[op].kind
        joins = kind == "Relu" and names[op] not in truth
        if joins:
            continue  # written behind the Concat, once
        nodes.append(names[op])
        if kind == "Concat":
            first, *others = GOOGLENET.predecessors[op]
            nodes.append(names[first])
            truth[names[first]] = {GOOGLENET.operators[r].name for r in (first, *others)}
    found = propose_node_map(on_one_cpu(tmp_path, nodes), GOOGLENET)
    assert {match.how for match in found.matches} == {"rule"}
    assert {match.node: set(match.operators) for match in found.matches} == truth


def test_of_several_nodes_made_from_an_operator_the_usual_suffix_is_the_operator(tmp_path):
    names = [name.replace("__1", "__2") for name in numbered(RESNET).values()]
    split = names[0].replace("__2", "__1")
    path = tmp_path / "plan.yaml"
    nodes = [split, *names, "flatten_7__1"]
    path.write_text(plan_text(nodes, [0, *[1] * len(names), 1], ["CPU", "CPU"]))
    found = read_nestc_plan(path, RESNET, SOC)
    assert [p.name for p in found.plan.partitions] == ["p1"]  # what is left of p0 is a conversion
    assert found.conflicts == ("stem.conv",)
    assert [match.node for match in found.nodes.unmatched] == ["flatten_7__1"]


MAP = """\
---
- name: net.onnx
  numPartitions: 3
  backendNames: VTA:CPU:CPU
  emitNames: a:b:c
  partitionNames: p0:p1:p2
  nodeToPartition: conv__1-0:a_relu-0:left-1
    :right-1:add-1
"""


def test_the_successors_sequence_is_read_like_the_map(tmp_path):
    graph = graph_of(
        {"conv": [], "a/relu": ["conv"], "left": ["a/relu"], "right": ["a/relu"],
         "add": ["left", "right"]}, {"conv": "Conv"},
    )  # fmt: skip
    soc = soc_of(1, fuse=["Conv-Relu"], npu=True)
    path = tmp_path / "plan.yaml"
    path.write_text(MAP)
    found = read_plan(path, [graph], soc)
    assert found.format == "nestc"
    assert [(p.pu, p.operators) for p in found.plan.partitions] == [
        ("npu", ("conv", "a/relu")), ("u0", ("left", "right", "add")),
    ]  # fmt: skip
    others = [graph_of({"conv": []}, name=name) for name in ("other", "third")]
    assert read_plan(path, [others[0], graph], soc).plan == found.plan
    with pytest.raises(PlanError, match=r"does not say for which network .*\n.*other, third"):
        read_plan(path, others, soc)
    path.write_text(MAP.replace("numPartitions: 3", "numPartitions: 7"))
    with pytest.raises(PlanError, match=r"plan.yaml:3:18: numPartitions: 7 does not fit 3 names"):
        read_plan(path, [graph], soc)
    path.write_text(MAP + MAP.replace("---\n", ""))
    with pytest.raises(PlanError, match=r"plan.yaml:9:3: it holds 2 items"):
        read_plan(path, [graph], soc)


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A plan of a network that has one convolution more, in its first block."""
    monkeypatch.chdir(tmp_path)
    nodes = list(numbered(MOBILENET).values())
    nodes[1:1] = ["net0_first_conv0_fwd__1"]
    return on_one_cpu(tmp_path, nodes).name


PLACE = ["--model", "mobilenet_v2", "--soc", "zcu102-vta"]


@pytest.mark.slow
def test_what_computes_and_has_no_counterpart_is_refused_until_a_map_settles_it(odd, capsys):
    convert = ["plan", "convert", odd, *PLACE]
    assert entry([*convert, "--write-map", "m.yaml", "-o", "p.yaml"]) == 2
    told = capsys.readouterr().err
    assert (
        "plan.yaml:6:18: it does not fit mobilenet_v2: 53 nodes that compute have no operator"
        in told
    )
    assert "net0_first_conv0_fwd__1" in told
    assert "52 operators that compute have no node: stem.conv" in told
    assert "--node-map FILE" in told
    assert not Path("p.yaml").exists()
    # The proposal is there to be corrected: the rest of the names are not in doubt.
    lines = [line for line in Path("m.yaml").read_text().splitlines() if "# none" not in line]
    convs = [i for i, op in enumerate(MOBILENET.operators) if op.kind == "Conv"]
    lines += [f"  {numbered(MOBILENET)[i]}: {MOBILENET.operators[i].name}" for i in convs]
    lines.append("  net0_first_conv0_fwd__1: null")
    Path("m.yaml").write_text("\n".join(lines))
    assert entry([*convert, "--node-map", "m.yaml", "-o", "p.yaml"]) == 0
    assert "by hand" in capsys.readouterr().err
    assert entry(["plan", "validate", "p.yaml", *PLACE]) == 0


def test_a_map_tells_what_every_node_is_and_why():
    found = NodeMap(
        "net",
        (
            Match("n-0", ("a",), "name"),
            Match("n-1", ("b", "c"), "rule", "the only Conv"),
            Match("n-2", (), "rule", "no operator here"),
            Match("n-3", (), "none", "no Relu is left"),
        ),
    )
    assert dump_node_map(found).splitlines()[6:] == [
        "nodes:",
        "  n-0: a  # name",
        "  n-1: [b, c]  # rule: the only Conv",
        "  n-2: null  # rule: no operator here",
        "  # n-3: null  # none: no Relu is left",
    ]
    assert (found.matched, found.unmatched) == (2, found.matches[3:])
    assert found.summary == "1 by name, 1 by rule; the plan's order agrees with 0 of 0 dependencies"
    nothing = NodeMap("net", found.matches[3:])
    assert nothing.summary == ""
    assert dump_node_map(nothing).splitlines()[6:] == [
        "nodes: {}", "  # n-3: null  # none: no Relu is left",
    ]  # fmt: skip


def test_long_names_of_any_alphabet_stay_in_their_line(tmp_path):
    name = "größe " * 30 + "end"
    found = NodeMap("net", (Match(name, ("null",), "name"),))
    assert dump_node_map(found).splitlines()[7:] == [f"  {name}: 'null'  # name"]
    (tmp_path / "m.yaml").write_text(dump_node_map(found), encoding="utf-8")
    graph = graph_of({"null": []})
    assert read_node_map(tmp_path / "m.yaml", [name], graph) == {name: ("null",)}


def test_a_proposal_written_and_read_again_is_the_same_map(tmp_path):
    path = on_one_cpu(tmp_path, list(numbered(RESNET).values()))
    found = proposed_map(path, RESNET)
    (tmp_path / "m.yaml").write_text(dump_node_map(found))
    nodes = [match.node for match in found.matches]
    again = read_node_map(tmp_path / "m.yaml", nodes, RESNET)
    assert again == {match.node: match.operators for match in found.matches}
    settled = read_nestc_plan(path, RESNET, SOC, node_map=tmp_path / "m.yaml")
    assert settled.plan == read_nestc_plan(path, RESNET, SOC).plan
    assert settled.notes[0].endswith(
        "48 by hand; the plan's order agrees with 55 of 55 dependencies"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hetsim: nodemap/2\nnodes: {}\n", "m.yaml:1:9: hetsim"),
        ("hetsim: nodemap/1\n", "m.yaml:1:1: field 'nodes' is missing"),
        ("hetsim: nodemap/1\nmodel: vgg19\nnodes: {}\n", "m.yaml:2:8: this map is for network"),
        ("hetsim: nodemap/1\nnodes:\n  net0_first_conv0: null\n",
         "m.yaml:3:3: the plan has no node 'net0_first_conv0'; did you mean 'net0_first_conv0_fwd"),
        ("hetsim: nodemap/1\nnodes:\n  net0_first_conv0_fwd__1: stem.con\n",
         "m.yaml:3:28: mobilenet_v2 has no operator 'stem.con'; did you mean 'stem.conv'?"),
        ("hetsim: nodemap/1\nnodes:\n  net0_first_conv0_fwd__1: [stem.conv, 3]\n", "m.yaml:3"),
        ("hetsim: nodemap/1\nnodes: [\n", "m.yaml:"),
    ],
)  # fmt: skip
def test_faults_of_a_map_are_located(odd, capsys, text, told):
    Path("m.yaml").write_text(text)
    assert entry(["plan", "convert", odd, *PLACE, "--node-map", "m.yaml", "-o", "p.yaml"]) == 2
    assert told in capsys.readouterr().err
    assert not Path("p.yaml").exists()


@pytest.mark.slow
def test_a_plan_that_names_operators_has_nothing_to_map(odd, capsys):
    place = ["--model", "squeezenet", "--soc", "zcu102-vta"]
    assert entry(["plan", "make", *place, "--scheduler", "type_based", "-o", "a.yaml"]) == 0
    assert entry(["plan", "validate", "a.yaml", *place, "--node-map", "m.yaml"]) == 2
    assert "a.yaml: a plan of hetsim names operators" in capsys.readouterr().err
    assert entry(["plan", "convert", "a.yaml", *place, "--write-map", "m.yaml"]) == 2
    assert "a.yaml: it is a plan of hetsim's already" in capsys.readouterr().err


SCRIPT = Path(hetsim.__file__).parents[1] / "benchmarks" / "foreign_plans.py"


@pytest.mark.slow
@pytest.mark.skipif(
    not SCRIPT.exists(), reason="benchmarks/ is in the checkout only, not in the package"
)
def test_the_table_of_a_folder_has_a_row_for_every_plan(odd, tmp_path, capsys, monkeypatch):
    names = list(numbered(RESNET).values())
    texts = {
        "a.yaml": plan_text(names, [0] * len(names), ["CPU"]).replace("made_up", "x_resnet18"),
        "b.yaml": plan_text(names, [0] * len(names), ["VTA-3"]).replace("made_up", "x_resnet18"),
        "devices.yaml": "- {name: PU1, backendName: VTA}\n",
        "empty.yaml": "",
    }
    for name, text in texts.items():
        Path(name).write_text(text)
    command = ["foreign_plans.py", str(tmp_path), "zcu102-vta", "--network", "made_up=mobilenet_v2"]
    monkeypatch.setattr(sys, "argv", command)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows.keys() == {"file", "a.yaml", "b.yaml", "empty.yaml", odd}
    assert rows["a.yaml"].split()[1:5] == ["map", "resnet18", "48", "0"]
    assert rows["a.yaml"].endswith(" ms")
    assert "no unit for backend 'VTA-3'" in rows["b.yaml"]
    assert "the file is empty" in rows["empty.yaml"]
    assert "it does not fit mobilenet_v2" in rows[odd]
