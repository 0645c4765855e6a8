"""Tables, statements and migrations: everything that is said to PostgreSQL."""
