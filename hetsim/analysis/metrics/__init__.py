"""Metrics: what a run is judged by. A file per family, and a registry that everything reads."""
