"""JSON-RPC over HTTP: what is sent, the limits of an answer, and what an answer proves."""
