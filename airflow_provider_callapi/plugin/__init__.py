"""The page *Calls* in Airflow's navigation: an Airflow plugin with a small web application."""
