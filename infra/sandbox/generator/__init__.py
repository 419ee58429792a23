"""Writes a facts folder for the demo: a function of seed, object and date, that only ever grows."""
