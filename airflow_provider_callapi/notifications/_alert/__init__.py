"""The parts of the notifier: describe the reason, choose the callback that rings, call, await the answer."""
