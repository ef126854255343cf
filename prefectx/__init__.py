"""Plain functions, run four ways from a configuration file."""
