"""``airflow callapi …``: for somebody who has to see what is going on, and perhaps end it, at night."""
