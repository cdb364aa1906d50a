"""What is known of a call: whether the contact answered, why the call ended, its marks and its tags."""
