"""Paperwharf: a stationery shop as one small web service."""

__version__ = "2.14.0"
