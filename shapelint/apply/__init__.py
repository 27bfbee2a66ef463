"""Fixes written into the user's files, by the parent. No torch."""
