"""What users read about their settings: mistakes, where they are, how names and values look."""
