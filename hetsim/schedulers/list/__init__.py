"""List schedulers: operators by rank, each to where it ends first."""
