"""Verify: a candidate executed on real calls, beside a control, and what may be said of it."""
