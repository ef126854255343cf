"""What users decorate: tasks and flows."""
