"""Worst-case response times of streams under fixed priorities, and the scope in which they hold.

:mod:`~hetsim.bounds.response.unit` is the analysis of one unit, and knows tasks alone. Imports the
simulator only to ask it how long a partition takes when nobody, or everybody, is in its way.
"""
