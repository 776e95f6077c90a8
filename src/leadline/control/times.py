"""Which numbers are times: what a calendar has no date for cannot be shown to anybody."""

FIRST_TIME = -60_000_000_000.0
LAST_TIME = 250_000_000_000.0
"""In seconds since 1970: the years 68 and 9892. Dates go from the year 1 to 9999; what is added
to a time, such as the width of a column, stays among them."""


def is_time(at: float) -> bool:
    """Return whether a number of seconds since 1970 has a date; nan has none."""
    return FIRST_TIME <= at <= LAST_TIME
