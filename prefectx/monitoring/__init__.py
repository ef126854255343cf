"""What is seen of a run: progress, logging, keepalive, memory."""
