"""Which tasks of a random pipeline ran."""

LOG: list[int] = []


def ran(number: int) -> None:
    """Take note that a task ran."""
    LOG.append(number)
