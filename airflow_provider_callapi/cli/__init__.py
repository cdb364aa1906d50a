"""The ``airflow callapi`` commands, for the person who supervises the telephone calls."""
