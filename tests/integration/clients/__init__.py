"""Tests of the generated clients and of the command line."""
