"""What a type checker sees of decorated functions; only mypy reads this."""

from typing import assert_type

from prefectx import Item, flow, load, task
from prefectx.futures import Future, FutureList


@task
def area(width: int, height: int = 1) -> float:
    return width * height


@task(target="out/{x}.json", retries=2)
def words(x: int) -> list[str]:
    return [str(x)]


@task
async def fetch(url: str) -> bytes:
    return url.encode()


@flow
def pipeline(count: int) -> float:
    return area(count)


@flow(name="another")
def another() -> str:
    return "x"


assert_type(area(1, height=2), float)
assert_type(words(1), list[str])
assert_type(pipeline(3), float)
assert_type(another(), str)
assert_type(area.with_options(tags=["a"])(1), float)
assert_type(area.name, str)

area("1")  # type: ignore[arg-type]
words()  # type: ignore[call-arg]
pipeline(count="3")  # type: ignore[arg-type]

data: object = load(area.submit(1))
items: list[Item[list[str]] | None] = [future.item for future in words.map([1, 2])]
assert_type(area.submit(1), Future[float])
assert_type(area.submit(1).result(), float)
assert_type(words.map([1, 2]), FutureList[list[str]])
assert_type(words.map([1, 2]).result(), list[list[str]])
assert_type(load(area.submit(1)), float)
assert_type(load(words(1)), list[str])
assert_type(load(words.map([1, 2])), list[list[str]])


async def awaits() -> None:
    """Async tasks are awaited and give the function's result."""
    assert_type(await fetch("x"), bytes)
