"""The whole stack on one machine without Docker: PostgreSQL, Temporal, migrations, worker and API."""
