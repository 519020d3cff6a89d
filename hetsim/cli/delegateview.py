"""What ``hetsim delegate`` shows and writes."""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.cli.refusals import refusals
from hetsim.plan.files import dump_plan
from hetsim.report.summary import tidy_time, time_unit
from hetsim.runs.delegation.answer import Delegation, Option, Part
from hetsim.study.result import Rows, Shown, Words

SCHEMA = "hetsim.delegate/1"


def delegation_shown(found: Delegation) -> Iterator[Shown]:
    """Tables of the ways compared and of the parts, reasons, and what to do in one sentence."""
    case = found.case
    yield Words(
        f"{case.graph.name} on {case.soc.name} ({case.execution}); what is not delegated runs on"
        f" {found.host}",
        "bold",
    )
    yield _options(found)
    yield Words()
    yield from _candidates(found)
    numbers = _numbers(found)
    reasons = [
        (name, c.verdict, c.reason)
        for name, c in zip(numbers, found.candidates, strict=True)
        if c.verdict != "pays"
    ]
    if reasons:
        yield Words()
        yield Rows(("part", "verdict", "because"), reasons, left=3, unbroken=(0,))
    yield Words()
    yield from _parts(found)
    for support in found.support:
        if support.refuses:  # which is what divides the parts
            yield Words()
            yield refusals(support)
    yield Words()
    yield Words(_headline(found), "bold")


def _options(found: Delegation) -> Rows:
    nothing = found.rules[0].makespan_s
    rows = [
        (
            option.label + (f" ({option.plan.scheduler})" if option is found.best else ""),
            tidy_time(option.makespan_s),
            f"{nothing / option.makespan_s:.2f}×",
            str(option.delegated),
            str(option.operators),
        )
        for option in found.options
    ]
    bound = found.bound.seconds
    rows.append(("bound: no plan is below", tidy_time(bound), f"{nothing / bound:.2f}×", "", ""))
    return Rows(("delegated", "time", "speed", "parts", "operators"), rows, unbroken=(0, 1))


def _candidates(found: Delegation) -> Iterator[Shown]:
    unit, factor = time_unit(found.rules[0].makespan_s)

    def clock(seconds: float) -> str:
        return f"{seconds / factor:,.3f}"

    rows = []
    for name, candidate in zip(_numbers(found), found.candidates, strict=True):
        part = candidate.part
        rows.append(
            (
                name, str(len(part.operators)), f"{part.macs / 1e6:,.0f}",
                f"{(part.bytes_in + part.bytes_out) / 1024:,.0f}", clock(part.here_s),
                clock(part.there_s), clock(part.transfer_s), clock(part.gain_s),
                candidate.verdict,
            )
        )  # fmt: skip
    title = f"parts that could be delegated; kernels, transfer and gain in {unit}"
    columns = ("part", "ops", "MMACs", "KiB", "here", "there", "transfer", "alone", "verdict")
    yield Words(title if rows else "no part of it can be delegated", "bold")
    if rows:
        yield Rows(columns, rows, unbroken=range(8))


def _parts(found: Delegation) -> Iterator[Shown]:
    rows = [
        (
            part.pu, str(len(part.operators)), part.operators[0], part.operators[-1],
            tidy_time(part.gain_s),
        )
        for part in found.parts
    ]  # fmt: skip
    yield Words("advice: delegate these" if rows else "advice: delegate nothing", "bold")
    if rows:
        yield Rows(("unit", "ops", "first operator", "last operator", "saves"), rows, left=4)


def _numbers(found: Delegation) -> list[str]:
    """A name for each candidate: its unit, and a number."""
    count: dict[str, int] = {}
    names = []
    for candidate in found.candidates:
        pu = candidate.part.pu
        count[pu] = count.get(pu, 0) + 1
        names.append(f"{pu} {count[pu]}")
    return names


def _headline(found: Delegation) -> str:
    advice, nothing = found.advice, found.rules[0]
    rule = min(found.rules, key=lambda option: option.makespan_s)
    best, bound = found.best.makespan_s, found.bound.seconds
    what, times = "Delegate nothing", tidy_time(advice.makespan_s)
    if advice.delegated:
        parts = "part" if advice.delegated == 1 else "parts"
        what = (
            f"Delegate {advice.operators} of {len(found.case.graph)} operators in"
            f" {advice.delegated} {parts}"
        )
        times += f", {nothing.makespan_s / advice.makespan_s:.2f}× nothing delegated"
    if rule is not nothing:
        times += f" and {rule.makespan_s / advice.makespan_s:.2f}× the best default rule"
        times += f" ({rule.label})"
    return (
        f"{what}: {times}. The best plan known takes"
        f" {tidy_time(best)}; none takes less than {tidy_time(bound)}."
    )


def plan_files(found: Delegation) -> dict[str, str]:
    """The plan of every way compared, by file name."""
    return {f"{_slug(option)}.yaml": dump_plan(option.plan) for option in found.options}


def _slug(option: Option) -> str:
    return option.label.replace("+", "-or-more").replace(" ", "-")


def delegation_dict(found: Delegation) -> dict[str, object]:
    """The answer as plain JSON values; times in microseconds, sizes in bytes."""
    case = found.case
    return {
        "schema": SCHEMA,
        "model": case.graph.name,
        "soc": case.soc.name,
        "execution": case.execution,
        "host": found.host,
        "options": [
            {
                "label": option.label,
                "scheduler": option.plan.scheduler,
                "parameters": dict(option.plan.parameters),
                "makespan_us": option.makespan_s * 1e6,
                "parts": option.delegated,
                "operators": option.operators,
                "plan": f"{_slug(option)}.yaml",
            }
            for option in found.options
        ],
        "bound_us": found.bound.seconds * 1e6,
        "bound": found.bound.argument,
        "candidates": [
            {
                "part": name,
                **_part_dict(c.part),
                "gain_alone_us": c.part.gain_s * 1e6,
                "delegated": list(c.taken),
                "saves_us": None if c.saves_s is None else c.saves_s * 1e6,
                "verdict": c.verdict,
                "reason": c.reason,
            }
            for name, c in zip(_numbers(found), found.candidates, strict=True)
        ],
        "advice": [{**_part_dict(p), "saves_us": p.gain_s * 1e6} for p in found.parts],
        "refused": {support.pu.name: support.reasons for support in found.support},
    }


def _part_dict(part: Part) -> dict[str, object]:
    return {
        "unit": part.pu,
        "operators": list(part.operators),
        "macs": part.macs,
        "bytes_in": part.bytes_in,
        "bytes_out": part.bytes_out,
        "here_us": part.here_s * 1e6,
        "there_us": part.there_s * 1e6,
        "transfer_us": part.transfer_s * 1e6,
        "calls_us": part.calls_s * 1e6,
    }
