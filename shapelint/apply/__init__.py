"""Writes fixes into the user's files, in the parent process. No torch."""
