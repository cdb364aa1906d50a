"""Where campaigns store their attempts: an SQL database, or pages of JSON in Airflow's task state."""
