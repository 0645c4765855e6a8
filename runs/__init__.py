"""Temporal as seen from outside: start a run, ask about it, change it, start it again."""
