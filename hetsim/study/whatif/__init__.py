"""What each parameter is worth."""
