"""The story: on a real Temporal server, where months are skipped."""
