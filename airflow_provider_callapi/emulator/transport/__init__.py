"""The emulator's HTTP requests and answers: as an ASGI application, or inside the process of a test."""
