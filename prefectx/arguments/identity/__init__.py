"""What identifies a value: forms of each type, and the walk that makes a fingerprint of them."""
