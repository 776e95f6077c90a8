"""The contract between agent and server: what travels, and how it is written down.

Standard library only, because the agent speaks it inside other people's processes.
"""
