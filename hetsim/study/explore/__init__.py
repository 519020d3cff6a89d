"""The best designs under constraints."""
