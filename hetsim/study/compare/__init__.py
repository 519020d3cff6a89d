"""Named variants side by side."""
