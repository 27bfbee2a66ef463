"""Draws a walk: blocks, links, and their layout. No torch."""
