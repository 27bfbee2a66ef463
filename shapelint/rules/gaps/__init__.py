"""Rules of the gaps family, one a file."""
