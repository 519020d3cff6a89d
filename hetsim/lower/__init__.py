"""From a plan to a program: every cost filled in, ready for the simulator.

Imports plans, costs and what stands under them.
"""
