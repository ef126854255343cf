"""The smallest pipeline: run it twice, and the second run does nothing.

python examples/minimal.py
PREFECTX=cache python examples/minimal.py
"""

from prefectx import flow, load, task


@task
def square(number: int) -> int:
    """Square a number; the default target keeps it at `working/square/NUMBER`."""
    print(f"squaring {number}")
    return number**2


@task(target="working/total.json")
def total(numbers: list[int]) -> int:
    """Add numbers up; the target's suffix makes it a JSON file."""
    print(f"adding {numbers}")
    return sum(numbers)


@flow
def pipeline() -> int:
    """Add up the first squares."""
    return load(total([square(number) for number in range(1, 6)]))


def main() -> None:
    """Run the flow and print what it returns."""
    print(f"The sum of the first five squares is {pipeline()}.")


if __name__ == "__main__":
    main()
