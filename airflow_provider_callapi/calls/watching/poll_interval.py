"""How often ``list.calls`` is polled if the author of a DAG sets no other interval. In seconds.

Several triggers can share the polls of a connection, see `SharedPoll`. Their shortest interval counts.
"""

POLL_INTERVAL = 5.0
"""The default time between two polls while a start operator, a sensor or a function waits for one call."""
CAMPAIGN_POLL_INTERVAL = 10.0
"""The default time between two polls of a campaign."""
ALERT_POLL_INTERVAL = 2.0
"""The time between two polls while an alert waits for the answer of a person."""
LAST_POLL_SECONDS = 10.0
"""The longest time of a poll that is under way when a wait's time is up."""
