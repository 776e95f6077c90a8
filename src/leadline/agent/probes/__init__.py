"""The probes of this process: what each kind does, which are armed, and how each one stands."""
