"""Profiles made by simulation: what every scheduler is told about times."""
