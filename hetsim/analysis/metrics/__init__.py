"""Metrics: what a run is judged by. A file per family, and a registry that everything reads.

A new one is an object, here (in ``METRICS`` of its family's file) or in another package::

    EDP = Metric(
        "delay_energy", "energy-delay product", "J·s of an inference", unit="J·s", better="less",
        of=lambda run: (run.metrics["energy_j"] or 0.0) * run.trace.makespan_s,
    )

    [project.entry-points."hetsim.metrics"]
    delay_energy = "my_package.metrics:EDP"
"""
