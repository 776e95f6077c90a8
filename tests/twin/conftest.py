"""The server of the service tests, which twins report to."""

from services.conftest import shore

__all__ = ["shore"]
