"""See it work in a minute: a server, a shop that nobody prepared, traffic, and live hits."""
