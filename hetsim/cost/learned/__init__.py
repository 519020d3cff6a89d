"""The learned cost model: corrects a physical model by what measurements taught it.

After VPUNN (arXiv 2205.04586): a small network over a workload descriptor, with a cache in front.
"""
