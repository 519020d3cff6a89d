"""Formats in which tools tell latencies of whole networks: a file each, and their registry."""
