"""The parts of the notifier: describe the failure, choose the callback that rings, call, await the answer."""
