"""Losses and the steps of an optimizer."""
