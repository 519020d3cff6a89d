"""Handing a plan over to whoever runs it for real: a runtime, or a compiler of one's own.

What crosses the door is an :class:`~hetsim.plan.handover.assignment.Assignment`: every node of the
model's file with its partition and its target. Exporters write it, and models, in the form that one
runtime reads; none of them needs that runtime. Imports from the workload, the SoC and the plan.
"""
