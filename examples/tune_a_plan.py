"""Improve a plan by trying, save it, and run it again from its file.

The search starts from the plans of all schedulers and never ends with a worse one. A thousand
evaluations are few; 'hetsim tune' has the same with a progress bar. Prints both times.
"""

from pathlib import Path

import hetsim
from hetsim.plan.files import dump_plan
from hetsim.study.tune.search import Effort
from hetsim.study.tune.study import tune

tuning = tune(hetsim.load_scenario("paper_one"), Effort(evaluations=1000), parameters=False)
(model,) = tuning.models
print(f"best start, {model.start.scheduler}: {1e3 * model.start.makespan_s:.2f} ms")
print(f"tuned: {1e3 * model.best.makespan_s:.2f} ms after {model.evaluations} plans")

Path("tuned.yaml").write_text(dump_plan(model.best.plan), encoding="utf-8")
again = hetsim.run("paper_one", schedulers=[], plans=["tuned.yaml"]).runs[0]
print(f"from tuned.yaml: {1e3 * again.makespan_s:.2f} ms")
