"""The calls of the emulated telephone exchange, and how ``list.calls`` shows them."""
