"""The use cases: what a person, a script, an AI agent or a service's agent can ask for.

One function each, over a `Context`. Nothing here knows about HTTP, and nothing knows SQL.
"""
