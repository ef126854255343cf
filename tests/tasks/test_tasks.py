"""The contract of the decorators: what is seen is the function."""

import inspect
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import pytest

import prefectx
from prefectx import Item, allow_failure, flow, load, override, task, unmapped
from prefectx.tasks.keywords import PREFECT_FLOW, PREFECT_TASK
from tests.pipeline import Adder, pipeline, square


@pytest.fixture(autouse=True)
def cached(tmp_path: Path):
    """Run in mode cache, under tmp_path."""
    with override(mode="cache", root=tmp_path):
        yield


def test_signature_name_and_doc_are_the_functions():
    """inspect, help and editors see the function."""

    @task
    def area(width: int, height: int = 2) -> int:
        """Multiply."""
        return width * height

    assert str(inspect.signature(area)) == "(width: int, height: int = 2) -> int"
    assert (area.__name__, area.__doc__) == ("area", "Multiply.")
    assert area.fn(2, 3) == 6
    assert area.name == "area"


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
@pytest.mark.parametrize("thing", [square, pipeline])
def test_what_a_module_holds_is_pickled_by_name(dumps, thing):
    """The pickle is short and gives the very same object back."""
    pickled = dumps(thing)
    assert len(pickled) < 1_500  # an override is in force, and goes along
    assert pickle.loads(pickled) is thing


def test_a_bound_method_is_pickled_with_its_object():
    """The function goes by name, the object by value."""
    bound = pickle.loads(pickle.dumps(Adder(5).add))
    assert load(bound(1)) == 6


def test_a_copy_with_options_is_pickled_with_its_options():
    """with_options survives a pickle."""
    copy = pickle.loads(pickle.dumps(square.with_options(target="other/{x}", name="other")))
    assert copy(3).location.endswith("other/3")
    assert copy.name == "other"


def test_a_local_task_is_pickled_by_value():
    """Where no name leads to it, cloudpickle takes the function along."""
    factor = 3

    @task
    def triple(x):
        return factor * x

    assert load(pickle.loads(cloudpickle.dumps(triple))(2)) == 6


def test_a_task_that_is_pickled_by_value_keeps_its_file():
    """Lines of logs and of tracebacks name it, for functions inside the task's as well."""

    @task
    def files():
        def inside():
            return sys._getframe().f_code.co_filename

        return [sys._getframe().f_code.co_filename, inside()]

    arrived = pickle.loads(cloudpickle.dumps(files))
    assert arrived.fn() == files.fn() == [__file__, __file__]


def test_two_bound_methods_keep_their_objects():
    """Each bound method calls its own object, whichever was bound last."""
    one, two = Adder(1).add, Adder(2).add
    assert [load(one(1)), load(two(1))] == [2, 3]


def test_methods_of_different_objects_have_different_targets():
    """The object is an argument like any other."""
    assert Adder(1).add(1).location != Adder(2).add(1).location
    assert Adder(1).add(1).location == Adder(1).add(1).location


def test_functions_of_one_name_are_told_apart():
    """Two tasks that would share a file are an error, not a silent mix-up."""

    def make(value):
        @task
        def same(x):
            return value

        same.fn.__qualname__ = f"make{value}.same"
        return same

    make(1)(0)
    with pytest.raises(prefectx.TargetError, match="functions"):
        make(2)(0)


def test_an_unknown_keyword_names_the_nearest():
    """A typing mistake in a decorator is found without Prefect, too."""
    with pytest.raises(TypeError, match="task 'f' got an unknown option 'retry'"):

        @task(retry=3)
        def f(x):
            return x

    with pytest.raises(TypeError, match="did you mean 'target'"):
        square.with_options(traget="x")


def test_the_known_keywords_are_those_of_prefect():
    """Prefect's keywords are accepted in every mode, all of them and no others."""
    from prefect import Flow, Task

    stock = set(inspect.signature(Task.__init__).parameters) - {"self", "fn", "task_run_name"}
    assert stock == PREFECT_TASK
    assert set(inspect.signature(Flow.__init__).parameters) - {"self", "fn"} == PREFECT_FLOW


def test_arguments_that_do_not_fit_fail_at_the_call():
    """A wrong call fails as the function itself would."""
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        square()
    with pytest.raises(TypeError, match="unexpected keyword argument 'y'"):
        square.submit(1, y=2)


def test_one_call_in_two_threads_runs_once():
    """Who asks second gets the outcome of the first."""
    ran = []
    started = threading.Event()
    asked = threading.Event()

    @task
    def slow(x):
        ran.append(x)
        started.set()
        asked.wait(5)
        return x

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow, 1)
        started.wait(5)
        second = pool.submit(slow, 1)
        asked.set()
        assert [load(first.result()), load(second.result())] == [1, 1]
    assert ran == [1]


async def test_one_async_call_made_twice_at_once_runs_once():
    """Coroutines of the same call share its run, and the loop is not blocked."""
    import asyncio

    ran = []

    @task
    async def slow(x):
        ran.append(x)
        await asyncio.sleep(0.05)
        return x

    assert load(list(await asyncio.gather(slow(1), slow(1), slow(2)))) == [1, 1, 2]
    assert sorted(ran) == [1, 2]


def test_a_call_that_calls_itself_is_an_error():
    """A call that waits for itself fails instead of hanging."""

    @task
    def forever(x):
        return forever(x)

    with pytest.raises(prefectx.TargetError, match="'forever' calls itself"):
        forever(1)


def test_a_failed_call_is_no_output():
    """After a failure the same call runs again."""
    attempts = []

    @task
    def flaky(x):
        attempts.append(x)
        if len(attempts) == 1:
            raise OSError("no luck")
        return x

    with pytest.raises(OSError, match="no luck"):
        flaky(1)
    assert load(flaky(1)) == 1


def test_variadic_arguments_are_fields_and_tell_calls_apart():
    """Templates may name what is in **kwargs; *args count in the automatic base."""

    @task(target="v/{year}/{funcname}-{base}.json")
    def f(*parts, **named):
        return [list(parts), named]

    item = f("a", year=2024)
    assert "/v/2024/f-" in item.location
    assert load(item) == [["a"], {"year": 2024}]
    assert f("b", year=2024).location != item.location


def test_map_goes_through_iterables_and_leaves_constants():
    """Constants, strings and what is marked unmapped are the same for every call."""

    @task
    def join(a, b, c="z", *, d=(1, 2)):
        return f"{a}{b}{c}{len(d)}"

    assert load(join.map("x", [1, 2]).result()) == ["x1z2", "x2z2"]
    assert load(join.map([1, 2], "y", d=unmapped([3])).result()) == ["1yz1", "2yz1"]
    assert load(join.map(a=range(2), b=iter("pq")).result()) == ["0pz2", "1qz2"]


def test_map_of_a_future_goes_through_its_data():
    """A future of a list is mapped over, as are futures in a list."""

    @task
    def listed(n):
        return list(range(n))

    @task
    def square_of(x):
        return x * x

    squares = square_of.map(listed.submit(3))
    assert load(squares) == [0, 1, 4]
    assert load(square_of.map(squares)) == [0, 1, 16]


def test_map_without_anything_to_go_through_is_an_error():
    """No iterable, and iterables of different lengths, are refused with the task's name."""
    with pytest.raises(TypeError, match="'square': map needs at least one iterable"):
        square.map(1)

    @task
    def add(a, b):
        return a + b

    with pytest.raises(ValueError, match=r"'add'.*'a': 2, 'b': 3"):
        add.map([1, 2], [1, 2, 3])


def test_allow_failure_passes_the_exception():
    """A marked input that failed arrives as its exception."""

    @task
    def fail(x):
        raise KeyError(x)

    @task
    def tell(error):
        return repr(error)

    failed = fail.map([1, 2])
    assert load(tell.submit(allow_failure(failed[0]))) == "KeyError(1)"
    assert load(tell.submit(failed).state.is_failed()) is True


def test_a_flow_passes_its_items_on():
    """What a flow gets from another flow are items and data as for a task."""

    @flow
    def inner(x):
        return square.submit(x)

    @flow
    def outer():
        return Adder(1).add(inner(3))

    item = outer()
    assert isinstance(item, Item)
    assert load(item) == 10


def test_a_chain_of_finished_calls_loads_nothing(tmp_path):
    """Targets follow from targets: the middle of a chain may be gone."""
    ran = []

    @task(target="one/{x}.json")
    def one(x):
        ran.append("one")
        return x

    @task(target="two/{y}.json")
    def two(y):
        ran.append("two")
        return y

    two(one.submit(1))
    ran.clear()
    (tmp_path / "one" / "1.json").write_text("not json")
    assert load(two.submit(one.submit(1))) == 1
    assert ran == []


def test_options_of_one_method_are_its_own():
    """with_options of a bound method changes neither the class nor other objects."""

    class Adder:
        def __init__(self, by):
            self.by = by

        @task(target="{self.by}-{n}.json")
        def add(self, n):
            return self.by + n

    one, two = Adder(1), Adder(2)
    other = one.add.with_options(target="other-{self.by}-{n}.json")
    assert [call(5).name for call in (one.add, two.add, other)] == [
        "1-5.json",
        "2-5.json",
        "other-1-5.json",
    ]
    assert load([two.add(5), other(5), one.add(5)]) == [7, 6, 6]


@pytest.mark.parametrize("mode", ["cache", "function"])
def test_map_resolves_what_it_is_given_first(mode):
    """Items and futures of lists are iterated; other results are the same for all calls."""

    @task
    def numbers(n):
        return list(range(n))

    @task
    def offset():
        return 10

    @task
    def add(x, y=0):
        return x + y

    with override(mode=mode):
        assert load(add.map(numbers(3))) == [0, 1, 2]
        assert load(add.map(numbers.submit(3), y=offset())) == [10, 11, 12]
        assert load(add.map([1, 2], y=offset.submit())) == [11, 12]
        assert load(add.map(numbers(3, return_state=True), y=1)) == [1, 2, 3]
        assert load(add.map([offset.submit(), offset()], y=unmapped(1))) == [11, 11]
        with pytest.raises(TypeError, match="at least one iterable"):
            add.map(offset.submit())


def test_map_of_a_failure_that_is_allowed_hands_it_on():
    """The exception is the same for all calls; one that is not allowed is raised."""

    @task
    def fail():
        raise KeyError("gone")

    @task
    def tell(x, error):
        return f"{x} {error!r}"

    failed = fail.submit()
    told = load(tell.map([1, 2], allow_failure(failed)))
    assert told == ["1 KeyError('gone')", "2 KeyError('gone')"]
    with pytest.raises(prefectx.UpstreamError, match="gone"):
        tell.map([1, 2], failed)


class _None:
    """Stands for Prefect's NO_CACHE where no Prefect is."""


def test_prefects_cache_keywords_mean_what_they_say(tmp_path, caplog):
    """NO_CACHE keeps nothing, refresh_cache runs again, cache_expiration ends."""
    import datetime
    import os

    ran = []

    def work(x):
        ran.append(x)
        return x

    assert task(cache_policy=_None())(work)(1) == 1
    kept = task(cache_policy=_None(), target="{x}.json")(work)
    kept(2), kept(2)
    refreshed = task(refresh_cache=True, target="r-{x}.json")(work)
    refreshed(3), refreshed(3)
    expiring = task(cache_expiration=datetime.timedelta(hours=1), target="e-{x}.json")(work)
    expiring(4), expiring(4)
    os.utime(tmp_path / "e-4.json", (0, 0))
    expiring.map([4])
    expiring(4)
    assert ran == [1, 2, 2, 3, 3, 4, 4]
    keyed = task(cache_key_fn=lambda *_: "key", target="k-{x}.json")(work)
    with caplog.at_level("WARNING", "prefectx"):
        keyed(5), keyed(5)
    assert len(caplog.records) == 1
    assert "cache_key_fn has no effect" in caplog.text


@pytest.mark.parametrize("mode", ["function", "cache"])
def test_apply_async_takes_what_prefects_does(mode, tmp_path):
    """Without Prefect there is no graph for `dependencies`."""

    @task
    def double(x):
        return 2 * x

    with prefectx.override(mode=mode, root=tmp_path):
        future = double.apply_async((1,), wait_for=[double.submit(2)], dependencies={"a": set()})
        assert load(future.result()) == 2
