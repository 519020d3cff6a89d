"""Intel's VPUNN models: the files, their networks, what they are asked, what they answer.

Hunter, Palla, Nagy, Richmond & McAdoo, *Towards Optimal VPU Compiler Cost Modeling by using Neural
Networks to Infer Hardware Performances*, arXiv 2205.04586, 2022; the files and the layout of what
they are asked are public in ``intel/npu-nn-cost-model`` (Apache-2.0).
"""
