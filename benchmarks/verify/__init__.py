"""Cases with a known truth, for what `verify` says of them."""
