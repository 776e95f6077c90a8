"""Sealed copies of this process: made at a hit, watched while they live, heard to the end."""
