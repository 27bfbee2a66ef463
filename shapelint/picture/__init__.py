"""A walk drawn: blocks, links and where they go. No torch."""
