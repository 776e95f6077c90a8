"""A fresh sealed process in which captured calls are run: it is no part of a live service."""
