"""Schedulers that cut the network into stages, sub-graphs or slices and solve each."""
