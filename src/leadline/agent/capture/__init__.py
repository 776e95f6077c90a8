"""Values to bytes, without running a line of the application's code."""
