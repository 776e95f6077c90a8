"""What Leadline costs, measured beside its control in one run and reported as a ratio."""
