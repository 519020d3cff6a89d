"""What became of a plan that was handed over: run for real, read back, held against the plan.

An assignment goes in and *evidence* comes out: what a runtime itself says about who ran what. The
comparison of the two needs no runtime. Imports from the plan, the workload and its own room.
"""
