"""Check and convert the parameters of operators, sensors, triggers, hooks and notifiers."""
