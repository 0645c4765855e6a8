"""Recorded histories, and their replay on today's code."""
