"""Apache Airflow provider for the CoMagic / UIS Call API."""

__version__ = "0.1.0"
