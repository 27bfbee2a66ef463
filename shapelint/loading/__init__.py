"""Loads the user's model: imports its file, calls its class and makes its inputs."""
