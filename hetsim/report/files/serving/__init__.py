"""Results of streams in directories."""
