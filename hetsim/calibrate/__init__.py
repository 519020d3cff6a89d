"""How wrong the cost models are on rows kept aside, and writing down what was fitted.

Imports what was learned (:mod:`hetsim.learn`), cost models and SoC files; only the command line
imports it.
"""
