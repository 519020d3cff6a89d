"""Let measured times stand in for the model of a unit.

A profile file holds times of operators by a key that says their shapes. What it knows is simulated
to take exactly that long on an idle SoC; the rest comes from the model. Here two operators of
SqueezeNet have been "measured" on the CPU. Prints the time before and after, and who knew what.
"""

from collections import Counter
from pathlib import Path

import hetsim
from hetsim.cost.measured.keys import operator_key

network = hetsim.load_model("squeezenet")
convolutions = [op for op in network.operators if op.kind == "Conv"]
entries = "".join(
    f"- {{operators: '{operator_key(network, op)}', time_us: 20000}}\n" for op in convolutions[:2]
)
Path("cpu.yaml").write_text(
    "hetsim: profile/1\nname: my-cpu\ndevice: CPU of the board\nsource: a stopwatch\n"
    f"scope: kernel\nentries:\n{entries}",
    encoding="utf-8",
)
SCENARIO = "hetsim: scenario/1\nsoc: zcu102-vta\nmodels: [squeezenet]\nschedulers: [cpu_only]\n"
Path("modelled.yaml").write_text(f"{SCENARIO}name: modelled\n", encoding="utf-8")
Path("measured.yaml").write_text(
    f"{SCENARIO}name: measured\nprofiles: {{cpu: cpu.yaml}}\n", encoding="utf-8"
)

for name in ("modelled", "measured"):
    run = hetsim.run(f"{name}.yaml").runs[0]
    sources = Counter(row.cost_source for row in run.operators)
    print(f"{name}: {1e3 * run.makespan_s:.1f} ms; kernels by source: {dict(sources)}")
