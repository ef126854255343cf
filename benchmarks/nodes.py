"""The functions that Hamilton computes: it takes them from a module, and reads their source."""


def doubled(n: int) -> int:
    return 2 * n
