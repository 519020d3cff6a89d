"""Arrival processes, a module each."""
