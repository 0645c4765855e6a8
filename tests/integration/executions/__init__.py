"""Tests of claims, leases and results on real servers."""
