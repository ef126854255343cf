"""Target templates and their fields."""
