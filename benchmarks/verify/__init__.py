"""Whether verdicts are right: candidates of known truth, and what was said of them."""
