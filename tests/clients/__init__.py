"""Tests of the document and of each client of it by real tools, which need Node: `make clients`."""
