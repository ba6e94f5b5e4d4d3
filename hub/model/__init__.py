"""Decisions. No I/O, no clock, no ids made here: all of that comes in as arguments."""
