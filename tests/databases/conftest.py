"""Real databases for the tests of queries and tables."""

from real_databases import dwh, mariadb, postgres, select, url

__all__ = ["dwh", "mariadb", "postgres", "select", "url"]
