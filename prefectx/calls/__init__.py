"""What happens to a call: bind, fill, decide, skip or hand on."""
