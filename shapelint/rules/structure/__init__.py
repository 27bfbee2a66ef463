"""Rules of the structure family, one a file."""
