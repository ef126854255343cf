"""What Hamilton is to compute: it takes its functions from a module, and reads their source."""


def doubled(n: int) -> int:
    return 2 * n
