"""Our own processes: how they start, how they end with their parent, and those that
read files."""
