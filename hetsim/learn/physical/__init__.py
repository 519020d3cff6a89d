"""Physical models with few parameters, and their fits to measurements."""
