"""SQL databases of the DAG authors: tasks read contact lists from them, and write results to them."""
