"""What a type checker says of the decorators' keywords; only mypy reads this."""

from typing import assert_type

from prefectx import Future, FutureList, flow, load, task

# Each line with an ignore is an error; if it is none, mypy reports the ignore as unused.


@task(target="out/{x}.json", retries=3, tags=["slow"], dask={"memory": "2GB"}, lock=True)
def keywords_of_both(x: int) -> int:
    return x


@flow(log_prints=True, timeout_seconds=60, name="daily")
def keywords_of_prefect(x: int) -> int:
    return x


task(target=["out"])  # type: ignore[call-overload]
task(save="no")  # type: ignore[call-overload]
task(retries="3")  # type: ignore[call-overload]
task(on_corrupt="retry")  # type: ignore[call-overload]
task(tagret="out")  # type: ignore[call-overload]
flow(target="out")  # type: ignore[call-overload]
flow(retries="3")  # type: ignore[call-overload]

assert_type(keywords_of_both.with_options(refresh=True, retries=1)(1), int)
keywords_of_both.with_options(refresh="yes")  # type: ignore[arg-type]
keywords_of_both.with_options(refersh=True)  # type: ignore[call-arg]
keywords_of_prefect.with_options(name=5)  # type: ignore[arg-type]


class Model:
    """Methods keep their parameters and result, too."""

    @task(target="out/{x}.json")
    def fit(self, x: int) -> list[float]:
        return [float(x)]


future = Model().fit.submit(1)
assert_type(future, Future[list[float]])
assert_type(future.result(timeout=1), list[float])
assert_type(load(future), list[float])
mapped = keywords_of_both.map(range(3))
assert_type(mapped, FutureList[int])
assert_type(mapped[0], Future[int])
assert_type(load(mapped), list[int])
assert_type(load(3), int)
wrong: str = load(mapped[0])  # type: ignore[assignment]
