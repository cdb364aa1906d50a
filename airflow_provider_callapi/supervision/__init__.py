"""What the command line and Airflow's page *Calls* read of campaigns and tasks, and ask of campaigns.

A person who supervises calls sees the campaigns and tasks, and can pause, resume or stop a campaign.
"""
