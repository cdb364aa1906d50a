"""The JSON-RPC methods of the emulated Call API and Data API."""
