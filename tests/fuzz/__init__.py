"""Damaged and hostile files of every kind: a seeded fuzzer, and a harness that kills verbs."""
