"""Streams of inferences in numbers: views, statistics, results."""
