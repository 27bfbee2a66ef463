"""Files and folders that are read and not run. No torch."""
