"""Engines run calls and flows; a mode names its engine, which is imported when it is used."""
