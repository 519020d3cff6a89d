"""Exact optimisation: the best plan that can be found, with a proof of how good any could be."""
