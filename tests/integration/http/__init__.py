"""Tests of what every request has in common, on real servers."""
