"""The parts of the notifier: what failed, which callback rings, the calls, and the wait for an answer."""
