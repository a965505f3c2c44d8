"""Letters on their way: the queue, the relay, its replies, and what comes back."""
