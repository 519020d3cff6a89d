"""Measured costs: profiles of single operators and fused groups, attached to a PU.

:mod:`keys` says which operators are the same thing measured twice, :mod:`table` holds the times,
:mod:`files` reads and writes them, :mod:`fit` turns a time into a demand, :mod:`model` answers.
"""
