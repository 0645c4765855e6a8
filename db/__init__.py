"""Tables, statements and migrations: everything that is sent to PostgreSQL."""
