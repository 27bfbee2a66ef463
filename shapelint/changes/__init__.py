"""What could be changed in the user's source to mend a failure. No torch."""
