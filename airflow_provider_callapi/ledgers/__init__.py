"""Where a campaign keeps its attempts: an SQL database, or pages in Airflow's task state."""
