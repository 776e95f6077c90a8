"""Sending what is stored on to an OpenTelemetry collector: OTLP over HTTP, as JSON.

The JSON encoding is part of OTLP's stable specification and needs no library (ADR 0029).
"""
