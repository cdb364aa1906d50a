"""Real databases for the tests of the SQL ledger."""

from real_databases import mariadb, postgres, url

__all__ = ["mariadb", "postgres", "url"]
