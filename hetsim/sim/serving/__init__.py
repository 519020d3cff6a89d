"""Streams carried out: the source of their inferences, and what is kept of each that has ended."""
