"""Hand-made results for the report tests: no scheduler, no simulator, only the contracts."""

from __future__ import annotations

from hetsim.analysis.result import LinkMetrics, OperatorRow, PUMetrics, Result, Run
from hetsim.bounds.bound import Bound
from hetsim.plan.model import Partition, Plan
from hetsim.sim.trace import LinkUsage, RateSample, Span, TaskRow, Trace
from hetsim.soc.describe import soc_of
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">&'${7*7}{{7*7}}"
"""A name that tries to leave a script block, an attribute, a template and matplotlib's mathtext."""


def sample_soc(name: str = "board") -> SoC:
    """A CPU and an NPU that states its power, behind two ports and one memory."""
    description = {
        "hetsim": "soc/1",
        "name": name,
        "memory": {
            "dram": {
                "bandwidth": "10.24 GB/s", "capacity": "1 GiB", "energy_per_byte": "60 pJ",
            }
        },
        "links": {"port": {"bandwidth": "8 GB/s"}, "axi": {"bandwidth": "3.2 GB/s"}},
        "pus": {
            "cpu": {
                "kind": "cpu_cluster",
                "path": ["port", "dram"],
                "cores": 4,
                "operating_points": {
                    "nominal": {"clock": "1 GHz", "active_power": "2 W", "idle_power": "0.25 W"}
                },
                "macs_per_cycle": {"float32": 8.0},
                "element_ops_per_cycle": {"float32": 4.0},
                "efficiency": {"default": 0.5},
            },
            "npu": {
                "kind": "npu",
                "path": ["axi", "dram"],
                "operating_points": {"nominal": {"clock": "1 GHz", "active_power": "0.5 W"}},
                "array": {"rows": 16, "columns": 16, "dataflow": "weight_stationary"},
                "dtypes": {"float32": 1.0},
                "vector_lanes": 16,
                "sram": "256 KiB",
                "dma": {"bandwidth": "3.2 GB/s"},
            },
        },
        "runtime": {"host": "cpu"},
    }  # fmt: skip
    return soc_of(description, "sample")


def sample_graph(blocks: int = 3, name: str = "net", *, first: str = "stem") -> Graph:
    """``blocks`` inception-like blocks: four branches of one to three operators and a concat."""
    operators: list[Operator] = []
    tensors = [Tensor("image", (1, 3, 32, 32))]

    def add(op: str, kind: str, *inputs: str, channels: int = 16) -> str:
        out = Tensor(f"{op}:out", (1, channels, 32, 32))
        tensors.append(out)
        nest = None
        weights: tuple[tuple[str, int], ...] = ()
        if kind == "Conv":
            nest = LoopNest(1, 1, 32, 32, 16, channels, 3, 3, in_h=32, in_w=32)
            weights = (("float32", 16 * channels * 9),)
        operators.append(
            Operator(
                op,
                kind,
                inputs,
                (out.name,),
                weights,
                nest.macs if nest else 0,
                0 if nest else out.elements,
                nest,
            )
        )
        return out.name

    tensor = add(first, "Conv", "image")
    for b in range(blocks):
        a = add(f"b{b}/1x1", "Conv", tensor)
        c = add(f"b{b}/3x3", "Conv", add(f"b{b}/3x3_reduce", "Conv", tensor))
        pool = add(f"b{b}/pool", "MaxPool", tensor)
        d = add(f"b{b}/pool_relu", "Relu", add(f"b{b}/pool_proj", "Conv", pool))
        tensor = add(f"b{b}/concat", "Concat", a, c, d, channels=48)
    return Graph.create(name, operators, tensors, ["image"], [tensor], parameters=1234)


def sample_plan(graph: Graph, scheduler: str = "heft") -> Plan:
    """Partitions of up to three operators, alternating between the PUs."""
    names = [op.name for op in graph.operators]
    size = 1 if scheduler == "profile_greedy" else 3
    parts = []
    for i in range(0, len(names), size):
        index = i // size
        on_cpu = scheduler == "cpu_only" or index % 3 == 1
        parts.append(Partition(f"p{index}", "cpu" if on_cpu else "npu", tuple(names[i : i + size])))
    return Plan(graph.name, tuple(parts), scheduler=scheduler, predicted_s=0.004)


def sample_trace(graph: Graph, plan: Plan, stretch: float = 1.0) -> tuple[Trace, list[OperatorRow]]:
    """Runs the partitions by a crude list schedule; times are made up but consistent."""
    free = {"cpu": 0.0, "npu": 0.0}
    busy = {"cpu": 0.0, "npu": 0.0}
    done: dict[str, float] = {}
    owner = {op: p.name for p in plan.partitions for op in p.operators}
    spans: list[Span] = []
    tasks: list[TaskRow] = []
    rates: list[tuple[float, str, float]] = []
    rows: list[OperatorRow] = []
    links = {name: LinkUsage() for name in ("port", "axi", "dram")}
    for position, part in enumerate(plan.partitions):
        needs = {
            owner[graph.operators[p].name]
            for op in part.operators
            for p in graph.predecessors[graph.index[op]]
        } - {part.name}
        t = max([free[part.pu], *(done[n] for n in sorted(needs) if n in done)])
        taken = t
        host = "cpu:npu" if part.pu == "npu" else "cpu"
        spans.append(Span(host, "call", "call", t, t + 4e-6, 0, part.name, alone_s=4e-6))
        t += 4e-6
        if part.pu == "npu":
            spans.append(
                Span("cpu:npu", "convert", "quantise", t, t + 9e-6, 0, part.name, bytes=4096)
            )
            t += 9e-6
        begin = t
        for name in part.operators:
            op = graph.operator(name)
            work = (op.macs / 40e9 + 12e-6) * (1 if part.pu == "npu" else 4) * stretch
            start = t
            spans.append(Span(part.pu, "dispatch", name, t, t + 3e-6, 0, part.name, (name,)))
            t += 3e-6
            size = 65536
            if part.pu == "npu":
                spans.append(
                    Span("npu.dma", "load", name, t, t + 8e-6, 0, part.name, (name,), 32768, 7e-6)
                )
                spans.append(
                    Span("npu.dma", "store", name, t + 6e-6, t + 9e-6, 0, part.name, (name,), 512)
                )
                spans.append(Span("npu", "load", name, t, t + 8e-6, 0, part.name, (name,), 32768))
                t += 8e-6
            spans.append(
                Span(
                    part.pu,
                    "stream" if part.pu == "npu" else "compute",
                    name,
                    t,
                    t + work,
                    0,
                    part.name,
                    (name,),
                    size,
                    work * 0.9,
                    "shared dram",
                    150_000 if part.pu == "npu" else 0,
                )
            )
            port = "axi" if part.pu == "npu" else "port"
            for link in (port, "dram"):
                rates += [(t, link, size / work), (t + work, link, -size / work)]
                links[link].bytes += size
                links[link].busy_s += work
            t += work
            rows.append(
                OperatorRow(
                    plan.model,
                    plan.scheduler,
                    part.name,
                    part.pu,
                    name,
                    op.kind,
                    op.macs,
                    size // 2,
                    size // 2,
                    start,
                    t,
                    (t - start) * 0.9,
                    "analytical",
                )
            )
        if part.pu == "npu":
            spans.append(Span("cpu:npu", "poll", "poll", begin, t, 0, part.name))
        busy[part.pu] += t - begin
        free[part.pu] = done[part.name] = t
        tasks.append(TaskRow(0, position, int(part.pu == "npu"), taken, t))
    makespan = max(done.values())
    level = dict.fromkeys(links, 0.0)
    samples = []
    for time, link, change in sorted(rates):
        level[link] = max(0.0, level[link] + change)
        samples.append(RateSample(time, link, level[link], 1))
    trace = Trace(
        makespan, busy, links, spans, samples, tasks,
        arrived=[0.0], finished=[makespan], events=len(spans) * 3,
    )  # fmt: skip
    return trace, rows


def sample_run(graph: Graph, scheduler: str, soc: SoC, stretch: float = 1.0) -> Run:
    plan = sample_plan(graph, scheduler)
    trace, rows = sample_trace(graph, plan, stretch)
    span = trace.makespan_s
    metrics = {
        "makespan_s": span,
        "predicted_s": plan.predicted_s,
        "lower_bound_s": span * 0.7,
        "gap": span / (span * 0.7) - 1.0,
        "contention_free_s": span * 0.8,
        "energy_j": None,
        "partitions": len(plan.partitions),
        "events": trace.events,
    }
    return Run(
        graph.name,
        scheduler,
        graph,
        plan,
        trace,
        metrics,
        (Bound(span * 0.7, "longest path of minima"), Bound(span * 0.4, "bytes / bandwidth")),
        {name: PUMetrics(t, t / span) for name, t in trace.pu_busy_s.items()},
        {
            name: LinkMetrics(
                int(use.bytes), use.bytes / span / max(soc.links[name].bandwidth), use.contention_s
            )
            for name, use in trace.links.items()
        },
        tuple(rows),
        attribution={"compute": span * 0.75, "bus_contention": span * 0.25, "dma_wait": 0.0},
        pu_attribution={
            name: {"compute": t, "dependency_wait": 0.0, "idle": span - t}
            for name, t in trace.pu_busy_s.items()
        },
        planning_s=0.0123,
    )


SCHEDULERS = ("type_based", "profile_greedy", "cpu_only", "heft")


def sample_result(
    models: int = 2, blocks: int = 3, *, hostile: bool = False, failing: bool = True
) -> Result:
    """Some networks on one board under four schedulers, one of which fails on the last network."""
    soc = sample_soc(HOSTILE if hostile else "board")
    runs: list[Run] = []
    for m in range(models):
        name = f"{HOSTILE}{m}" if hostile else f"net{m}"
        graph = sample_graph(blocks + m, name, first=HOSTILE if hostile else "stem")
        runs += [sample_run(graph, label, soc, 1.0 + 0.3 * i) for i, label in enumerate(SCHEDULERS)]
    if failing:
        error = "operator 'b0/pool' fits no processing unit\n  allow MaxPool on cpu"
        runs.append(Run(runs[-1].model, "npu_only", runs[-1].graph, error=error))
    reference = {
        "title": "A paper (2023)",
        "source": "doi 10.0/0",
        "figures": [
            {
                "model": "net0",
                "scheduler": "heft",
                "baseline": "type_based",
                "improvement_percent": 5.03,
            },
            {
                "model": "net9",
                "scheduler": "heft",
                "baseline": "type_based",
                "improvement_percent": 7.18,
            },
        ],
    }
    notes = (HOSTILE,) if hostile else ("one operator is costed by the bandwidth-bound default",)
    return Result(
        HOSTILE if hostile else "demo",
        soc,
        7,
        "dataflow",
        tuple(runs),
        notes,
        reference,
        {"scenarios/demo.yaml": "sha256:" + "ab" * 32},
    )
