"""Runtimes that keep one order on the host and hand parts of the network to accelerators."""
