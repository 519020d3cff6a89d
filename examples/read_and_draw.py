"""Read a results directory and draw the timeline of one run.

Results hold the whole trace, so pictures can be made long after the simulation. Writes a timeline
as PDF and prints the longest spans.
"""

from pathlib import Path

import hetsim
from hetsim.report.figures.gantt import gantt_figure
from hetsim.report.files.writer import write_results

write_results(hetsim.run("paper_one"), Path("results"))  # or: hetsim run paper_one -o results

result = hetsim.load_result("results")
run = result.find("squeezenet", "partition_tuner")
gantt_figure(run, result.soc, width_in=7.16).savefig("gantt.pdf")
print(f"gantt.pdf: {len(run.trace.spans)} spans")

for row in sorted(run.operators, key=lambda row: row.start_s - row.end_s)[:5]:
    print(f"{row.operators} on {row.pu}: {1e3 * (row.end_s - row.start_s):.2f} ms")
