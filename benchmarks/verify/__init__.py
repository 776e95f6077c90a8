"""Whether verdicts are right: candidates of known truth, real functions, and their confusion."""
