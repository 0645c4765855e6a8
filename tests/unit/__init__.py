"""Test pure functions, files and documents without any server."""
