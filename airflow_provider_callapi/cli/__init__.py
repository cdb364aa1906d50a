"""The commands of ``airflow callapi`` for the person who operates the telephone calls."""
