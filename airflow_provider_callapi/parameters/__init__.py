"""What the parameters of operators, sensors, triggers, hooks and notifiers may be, and how they are read."""
