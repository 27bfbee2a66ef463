"""What is known of each op: one file a family, found by its `OPS`."""
