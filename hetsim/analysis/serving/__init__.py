"""Streams of inferences in numbers: views, statistics, scores, results."""
