"""Walking a model: values where affordable, shapes elsewhere, one fx graph for every
model."""
