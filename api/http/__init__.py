"""The kit of the HTTP interface: errors, bodies, callers, pages, streams."""
