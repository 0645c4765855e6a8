"""Tests of /api/activities on real servers."""
