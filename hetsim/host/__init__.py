"""This machine as a SoC: measuring it, describing it, and running plans on it for real.

Everything here needs ONNX Runtime (``pip install 'hetsim[measure]'``), imported when called.
"""
