"""Train a cost model on one network's kernels and predict another's.

The "measurements" are hetsim's own tile-by-tile simulation of an NPU, so no device is needed; with
yours, 'hetsim calibrate --measurements FILE.csv --learned' does the whole of it. The model is a
physical one times a learned correction, and it knows where it may not be trusted. Prints the
error on the network it has not seen.
"""

import numpy as np

import hetsim
from hetsim.calibrate.standin import base_model
from hetsim.learn.regressor import LearnedModel
from hetsim.runs.profile.kernels import simulate_kernels

soc = hetsim.load_soc("edge-mcu")
npu = next(pu for pu in soc.pus if pu.name == "npu")
networks = [hetsim.load_model(name) for name in ("inception_v2", "googlenet")]
table = simulate_kernels(networks, soc, npu).table

train = table.select(table.families == "inception_v2")
unseen = table.select(table.families == "googlenet")
model = LearnedModel.fit(train, baseline=base_model("array", npu.spec.array))
answer = model.predict(unseen)

print(f"trained on {len(train)} kernels; {answer.valid.sum()} of {len(unseen)} are in its range")
for name, predicted in (("physical", answer.physical), ("learned", answer.value)):
    error = np.abs(predicted / unseen.target - 1.0)[answer.valid]
    print(f"{name}: mean error {error.mean():.1%}, largest {error.max():.1%}")
