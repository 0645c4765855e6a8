"""Tests of the whole stack as users start it."""
