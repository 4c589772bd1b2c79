"""The log: where rooms keep their entries, on SQLite or PostgreSQL."""
