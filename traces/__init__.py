"""Traces by OpenTelemetry: `start.py` says if they are wanted; the other modules import the packages of the extra."""
