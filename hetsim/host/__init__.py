"""This machine as a SoC: measuring it, describing it, and running plans on it for real.

Everything here needs ONNX Runtime (``pip install 'hetsim[measure]'``), imported when called.
Imports runs, schedulers and what stands under them; only the command line imports it.
"""
