"""Captured values as the bytes that a record holds: JSON in ASCII, without spaces."""

import json

write = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
"""Sees only data that `capture` made, so it runs no code of the application."""
