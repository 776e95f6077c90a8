"""What the server remembers: one Protocol, and one package for each database behind it.

No SQL leaves this package, and nothing in it knows about HTTP.
"""
