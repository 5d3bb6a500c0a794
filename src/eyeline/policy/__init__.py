"""Limits as small state machines; the clock's reading is an argument."""
