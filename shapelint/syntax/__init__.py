"""Reading the user's source without running it: places, calls, arguments. No torch."""
