"""Tests of /api/commerces on real servers."""
