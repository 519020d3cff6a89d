"""Pages that show a whole result or study offline, and what notebooks show of it."""
