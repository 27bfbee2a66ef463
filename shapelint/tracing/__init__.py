"""Walks models: real values where they are affordable, shapes elsewhere, and one fx
graph for every model."""
