"""A pipeline with something of everything, for tests that run it in every mode."""

from dataclasses import dataclass

from prefectx import allow_failure, flow, get_run_logger, task, unmapped

ran: list[str] = []
"""The functions that were executed, in their order."""


@task
def numbers(count: int) -> list[int]:
    ran.append("numbers")
    return list(range(count))


@task(target="squares/{x:02d}.json")
def square(x: int) -> int:
    ran.append(f"square {x}")
    return x * x


@task
def scale(x: int, factor: list[int]) -> int:
    ran.append("scale")
    return x * factor[0]


@task
async def double(x: int) -> int:
    ran.append("double")
    return 2 * x


@task
def countdown(start: int):
    ran.append("countdown")
    yield from range(start, 0, -1)


@task
def pick(x: int) -> int:
    ran.append(f"pick {x}")
    if x == 1:
        raise ValueError("1 is not wanted")
    return x


@task
def total(parts) -> int:
    ran.append("total")
    return sum(parts["of"][0]) + parts["and"].value


@task
def describe(x) -> str:
    ran.append("describe")
    return f"{type(x).__name__}: {x}"


@dataclass(frozen=True)
class Box:
    value: object


@dataclass(frozen=True)
class Adder:
    amount: int

    @task
    def add(self, x: int) -> int:
        ran.append(f"add {self.amount}")
        return x + self.amount

    @task
    @classmethod
    def name_of(cls, x: int) -> str:
        ran.append("name_of")
        return f"{cls.__name__}{x}"

    @task
    @staticmethod
    def negate(x: int) -> int:
        ran.append("negate")
        return -x


@flow
def pipeline(count: int):
    get_run_logger().info("begin")
    listed = numbers.submit(count)
    squares = square.map(listed)
    first, second = Adder(10).add, Adder(20).add
    picked = pick.map([0, 1, 2])
    picked.wait()
    return {
        "called": square(7),
        "squares": squares,
        "scaled": scale.map([1, 2], factor=unmapped([5, 6])).result(),
        "double": double.submit(21),
        "countdown": countdown.submit(3),
        "bound": [first(1), second(1), Adder.name_of(1), Adder.negate(4)],
        "picked": [future.state.is_completed() for future in picked],
        "total": total.submit({"of": [list(squares)], "and": Box(square.submit(9))}),
        "allowed": describe.submit(allow_failure(picked[1])),
        "state": square(3, return_state=True).is_completed(),
    }


EXPECTED = {
    "called": 49,
    "squares": [0, 1, 4, 9],
    "scaled": [5, 10],
    "double": 42,
    "countdown": [3, 2, 1],
    "bound": [11, 21, "Adder1", -4],
    "picked": [True, False, True],
    "total": 0 + 1 + 4 + 9 + 81,
    "allowed": "ValueError: 1 is not wanted",
    "state": True,
}
"""What `prefectx.load` makes of `pipeline(4)`, in every mode."""
