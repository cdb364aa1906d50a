"""Two readers of phone numbers: a strict one for people to call, and a generous one for do-not-call lists."""
