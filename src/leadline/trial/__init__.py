"""One run of code in a sealed place: what is asked of a live frame, and what it comes to."""
