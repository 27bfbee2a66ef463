"""Rules of the loss family, one a file: losses and optimizer steps."""
