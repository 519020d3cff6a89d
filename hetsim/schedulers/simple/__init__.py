"""Schedulers that place one operator after the other, and the controls to compare with."""
