"""What a trigger does when Airflow cancels it: release (end) its calls if its task no longer waits."""
