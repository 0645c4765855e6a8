"""Recorded histories, replayed on the code as it is."""
