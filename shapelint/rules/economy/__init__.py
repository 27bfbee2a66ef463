"""Rules of the economy family, one a file."""
