"""From the platform as first described to the paper's: what each correction does to its figures.

    python benchmarks/paper_ablation.py

One line per step, each on top of the ones before it, with what justifies it. The columns are the
four comparisons of the PartitionTuner paper (Yu et al., ETRI Journal 45(2), 2023, doi
10.4218/etrij.2021-0446) as time saved, (1 - makespan / baseline)·100. No value is chosen here: all
of them stand in socs/zcu102-vta.yaml, which is the last step but one; the line in brackets only
reads the paper's profiling-based baseline in another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import hetsim
from hetsim.runs.case import Case
from hetsim.schedulers.base import Scheduler
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.simple.profile_greedy import ProfileGreedy
from hetsim.schedulers.simple.type_based import TypeBased

PUBLISHED = {
    ("squeezenet", "type_based"): 5.03,
    ("squeezenet", "profile_greedy"): 2.73,
    ("resnet18", "profile_greedy"): 5.36,
    ("resnet50", "profile_greedy"): 7.18,
}
"""Per cent, by network and baseline."""

BEFORE = {
    "runtime.input_copy": None,
    "runtime.exchange": "native",
    "npu.crossing.relayout_at": "partition",
}
"""What the last steps change on the board."""


@dataclass(frozen=True)
class Step:
    """A SoC with changes, and how the schedulers read the paper."""

    name: str
    why: str
    soc: str = "zcu102-vta"
    changes: Mapping[str, object] = field(default_factory=dict)
    transfer: str = "memcpy"
    loose: bool = True
    groups: bool = False

    def scheduler(self, name: str) -> Scheduler:
        """``name`` as this step has it; ``loose``: before sets were strict and baselines cut."""
        cut = "none" if self.loose else "branches"
        if name == "type_based":
            return TypeBased(cut=cut)  # type: ignore[arg-type]
        if name == "profile_greedy":
            return ProfileGreedy(
                groups=self.groups,
                transfer=self.transfer,  # type: ignore[arg-type]
                cut=cut,  # type: ignore[arg-type]
            )
        return PartitionTuner(
            transfer=self.transfer,  # type: ignore[arg-type]
            parallel_sets="free" if self.loose else "strict",
            merge_levels="none" if self.loose else "single",
        )


def _without(*names: str) -> dict[str, object]:
    return {name: value for name, value in BEFORE.items() if name not in names}


LAYOUT, FORMAT = "npu.crossing.relayout_at", "runtime.exchange"

STEPS = (
    Step("as first described", "our first reading", soc="zcu102-vta-4t", transfer="crossing"),
    Step("+ T is a copy", "code: read from the CPU's communication profile", soc="zcu102-vta-4t"),
    Step("+ one thread, free tails", "their run; Conv+Relu takes what Conv takes", changes=BEFORE),
    Step("+ layout around kernels", "code: before and after each convolution",
         changes=_without(LAYOUT)),
    Step("+ float32 between partitions", "code: what partitions exchange",
         changes=_without(LAYOUT, FORMAT)),
    Step("+ strict sets, cut baselines", "code: the partitioner",
         changes=_without(LAYOUT, FORMAT), loose=False),
    Step("+ inputs copied", "code: the generated main program", loose=False),
    Step("(baseline keeps groups)", "the other reading of the profiling baseline", loose=False,
         groups=True),
)  # fmt: skip
"""``code`` is the authors' public compiler, read for what it does."""


def saved(step: Step) -> dict[tuple[str, str], float]:
    """Time that PartitionTuner saves, per cent, by network and baseline."""
    soc = hetsim.load_soc(step.soc, step.changes)
    found = {}
    times: dict[tuple[str, str], float] = {}
    for model in dict.fromkeys(model for model, _ in PUBLISHED):
        case = Case(hetsim.load_model(model), soc, execution="barrier")
        for name in ("type_based", "profile_greedy", "partition_tuner"):
            times[model, name] = case.makespan(case.plan(step.scheduler(name)))
    for model, baseline in PUBLISHED:
        found[model, baseline] = 100 * (
            1 - times[model, "partition_tuner"] / times[model, baseline]
        )
    return found


def main() -> None:
    """Prints the table."""
    print("PartitionTuner on the ZCU102: time saved over the baseline, per cent")
    for i in range(2):
        print(f"{'' if i == 0 else 'step':30}" + "".join(f"{pair[i]:>16}" for pair in PUBLISHED)
              + ("" if i == 0 else "  justified by"))  # fmt: skip
    for step in STEPS:
        print(f"{step.name:30}{_cells(saved(step).values())}  {step.why}")
    print(f"{'published':30}{_cells(PUBLISHED.values())}")


def _cells(percents: Iterable[float]) -> str:
    return "".join(f"{percent:+16.1f}" for percent in percents)


if __name__ == "__main__":
    main()
