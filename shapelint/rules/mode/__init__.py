"""Rules of the mode family, one a file."""
