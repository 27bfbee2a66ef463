"""Processes of our own: how one is started, how it ends with its parent, and those that
read files."""
