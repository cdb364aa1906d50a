"""The ledgers of campaigns. A ledger stores the attempts of a campaign.

The ledger of a campaign is in a SQL database, or in Airflow's task state as pages of JSON.
"""
