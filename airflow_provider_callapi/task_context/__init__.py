"""What Airflow tells a task, and what the task tells Airflow: facts, task state, map indexes, deferrals."""
