"""TaskFlow decorators: a Python function makes the text of a call, or the list of a campaign."""
