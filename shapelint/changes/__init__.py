"""Changes to the user's source that may fix a failure. No torch."""
