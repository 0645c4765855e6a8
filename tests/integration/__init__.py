"""The whole service over HTTP: real PostgreSQL, real Temporal, real worker."""
