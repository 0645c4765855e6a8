"""Tests of a tenant's configuration on real servers."""
