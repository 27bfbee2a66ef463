"""Files and folders that are read without running them. No torch."""
