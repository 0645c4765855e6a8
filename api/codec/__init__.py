"""/codec: decrypt and encrypt payloads for Temporal's web UI and command line."""
