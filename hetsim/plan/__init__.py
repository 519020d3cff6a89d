"""hetsim."""
