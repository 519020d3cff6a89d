"""Flows in SimGrid: random sets of them, its finish times, and how it is asked."""
