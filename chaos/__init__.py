"""Chaos runs: a load with known expectations, a seeded schedule of faults, and an audit of every answer."""
