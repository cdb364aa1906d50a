"""One call or control request of one task: its journal, how it is placed at most once, and what follows."""
