"""Async tasks: calls that wait for something run concurrently.

python examples/async_tasks.py
PREFECTX=cache python examples/async_tasks.py
"""

import asyncio
import time

from prefectx import flow, load, task


@task(target="working/{funcname}/{city}.json")
async def fetch(city: str) -> dict[str, str | int]:
    """Ask a slow service, here one that sleeps."""
    await asyncio.sleep(1)
    return {"city": city, "letters": len(city)}


@task(target="working/longest_name.txt")
async def longest_name(cities: list[dict[str, str | int]]) -> str:
    """Find the city with the longest name."""
    return str(max(cities, key=lambda city: city["letters"])["city"])


@flow
async def compare() -> str:
    """Ask for all cities at once, then compare them."""
    cities = await asyncio.gather(*(fetch(city) for city in ("Oslo", "Reykjavik", "Rome")))
    return load(await longest_name(cities))


def main() -> None:
    """Run the flow and print the time: the first run takes one second, not three."""
    started = time.perf_counter()
    city = asyncio.run(compare())
    print(f"{city} has the longest name; that took {time.perf_counter() - started:.1f} s.")


if __name__ == "__main__":
    main()
