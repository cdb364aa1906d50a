"""SQL databases of the authors: contact lists come from there, and results go there."""
