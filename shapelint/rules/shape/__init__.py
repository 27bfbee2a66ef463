"""Rules of the shape family, one a file."""
