"""Results on disk: what is written, how it is read again."""
