"""What people do with Prefect's tasks, in the three Prefect modes."""

import asyncio
import time
import uuid

import prefect
import pytest
from prefect.cache_policies import INPUTS
from prefect.client.schemas.objects import StateType
from prefect.futures import as_completed as stock_as_completed
from prefect.futures import wait as stock_wait

import prefectx
from prefectx import allow_failure, flow, load, quote, tags, task, unmapped
from prefectx.errors import UpstreamError
from prefectx.item import Item

pytestmark = pytest.mark.usefixtures("server")


def data(value):
    return load(value)


def test_task_is_a_prefect_task(mode):
    """A decorated function is Prefect's own kind of task, with the function's face."""

    @task(retries=2, tags={"a"}, description="d")
    def add(x: int, y: int = 2) -> int:
        """Add."""

    assert isinstance(add, prefect.Task)
    assert (add.retries, add.tags, add.description) == (2, {"a"}, "d")
    assert (add.__name__, add.__doc__, add.name) == ("add", "Add.", "add")


def test_call_submit_and_map(mode):
    """A task can be called, submitted and mapped, and gets data from futures everywhere."""

    @task
    def add(x, y=1):
        return x + y

    @task
    def total(parts):
        return sum(parts["list"]) + parts["one"]

    @flow
    def pipeline():
        one = add(1)
        two = add.submit(one)
        many = add.map([1, 2, 3], y=unmapped(10))
        more = add.map(many, 100)
        return load(total.submit({"list": list(more), "one": two}))

    assert pipeline() == 3 + 111 + 112 + 113
    assert pipeline() == 3 + 111 + 112 + 113


def test_futures(mode):
    """Stock `wait` and `as_completed` take the futures of finished and of running calls."""

    @task
    def double(x):
        return 2 * x

    @flow
    def pipeline(n):
        futures = [double.submit(i) for i in range(n)]
        done, not_done = stock_wait(futures)
        assert (len(done), len(not_done)) == (n, 0)
        called = []
        for future in stock_as_completed(futures):
            future.add_done_callback(called.append)
            assert future.state.is_completed()
            assert future.task_run_id is not None
        assert len(called) == n
        return [load(future) for future in futures]

    assert pipeline(2) == [0, 2]
    assert pipeline(3) == [0, 2, 4]


def test_return_state(mode):
    """`return_state` gives Prefect's states."""

    @task
    def one():
        return 1

    @task
    def bad():
        raise ValueError("no")

    @flow
    def pipeline():
        states = [one(return_state=True), one.submit(return_state=True), bad(return_state=True)]
        assert [state.type for state in states] == [
            StateType.COMPLETED,
            StateType.COMPLETED,
            StateType.FAILED,
        ]
        return load(states[0]), load(states[1])

    assert pipeline() == (1, 1)
    state = pipeline(return_state=True)
    assert state.is_completed()


def test_flow_returns_futures(mode):
    """A flow that returns futures is Completed and its results load, also on a second run."""

    @task
    def number(x):
        return x

    @flow
    def alone(x):
        return number.submit(x)

    @flow
    def several(n):
        return [number.submit(x) for x in range(n)]

    for _ in range(2):
        assert data(alone(5)) == 5
        state = several(3, return_state=True)
        assert (state.type, state.name) == (StateType.COMPLETED, "Completed")
        assert data(state.result()) == [0, 1, 2]


def test_wait_for(mode):
    """A call waits for the futures in `wait_for`, and does not run when one failed."""
    order = []

    @task
    def slow():
        time.sleep(0.3)
        order.append("slow")

    @task
    def after(x):
        order.append("after")
        return x

    @task
    def bad():
        raise ValueError("no")

    @flow
    def pipeline():
        after.submit(1, wait_for=[slow.submit()]).wait()
        return after(2, wait_for=[bad.submit()], return_state=True)

    state = pipeline(return_state=True)
    assert order == ["slow", "after"]
    assert not state.is_completed()


def test_allow_failure_and_quote(mode):
    """A failed input can be allowed; a quoted value is passed as it is."""

    @task
    def bad():
        raise ValueError("no")

    @task
    def look(x):
        return type(x).__name__

    @task
    def also(x):
        return 1

    @flow
    def pipeline():
        with pytest.raises(Exception):  # noqa: B017, PT011  # what it is depends on the mode
            also.submit(bad.submit()).result()
        return data(look.submit(allow_failure(bad.submit()))), data(also(quote([1])))

    assert pipeline() == ("ValueError", 1)


def test_failure_is_raised(mode):
    """What a task raises comes out of its call, and fails the flow."""

    @task
    def bad():
        raise ValueError("no good")

    @flow
    def pipeline():
        with pytest.raises(ValueError, match="no good"):
            bad()
        bad.submit().result()

    with pytest.raises(ValueError, match="no good"):
        pipeline()
    assert pipeline(return_state=True).is_failed()


def test_async(mode):
    """Async tasks and flows are awaited."""

    @task
    async def add(x, y=1):
        await asyncio.sleep(0)
        return x + y

    @flow
    async def pipeline():
        one = await add(1)
        two = add.submit(one)
        both = await asyncio.gather(add(10), add(20))
        return load(one), load(two), load(both)

    assert asyncio.run(pipeline()) == (2, 3, [11, 21])
    assert asyncio.run(pipeline()) == (2, 3, [11, 21])


def test_generators(mode):
    """A generator task gives its values one by one, or keeps them as a list."""

    @task
    def numbers(n):
        yield from range(n)

    @task
    async def numbers_async(n):
        for i in range(n):
            yield i

    @flow
    def pipeline():
        return list(load(numbers(3)))

    @flow
    async def pipeline_async():
        if mode == "prefect":
            return [i async for i in numbers_async(2)]
        return load(await numbers_async(2))

    assert pipeline() == [0, 1, 2]
    assert pipeline() == [0, 1, 2]
    assert asyncio.run(pipeline_async()) == [0, 1]


class Counter:
    step = 10

    def __init__(self, start):
        self.start = start

    def __repr__(self):
        return f"Counter({self.start})"

    @task
    def plus(self, x):
        return self.start + x

    @task
    @classmethod
    def stepped(cls, x):
        return cls.step + x

    @task
    @staticmethod
    def squared(x):
        return x * x

    @flow
    def run(self, x):
        return load(self.plus.submit(x))


def test_methods(mode):
    """Methods, class methods and static methods are tasks of their own object."""

    @flow
    def pipeline():
        first, second = Counter(1).plus, Counter(2).plus
        values = [first(1), second(1), first.submit(5), Counter.stepped(1), Counter(0).squared(3)]
        return load(values)

    assert pipeline() == [2, 3, 6, 11, 9]
    assert Counter(5).run(6) == 11


def test_retries_run_only_the_function_again(mode, tmp_path):
    """Retries, with a condition, run the function again and then keep its output."""
    runs = []

    @task(retries=2, retry_delay_seconds=0, retry_condition_fn=lambda task, run, state: True)
    def flaky():
        runs.append(1)
        if len(runs) < 3:
            raise ValueError("not yet")
        return "done"

    @flow
    def pipeline():
        return load(flaky())

    assert pipeline() == "done"
    assert len(runs) == 3


def test_timeout(mode):
    """A task that takes too long fails."""

    @task(timeout_seconds=0.2)
    def slow():
        for _ in range(40):
            time.sleep(0.05)

    @flow
    def pipeline():
        state = slow(return_state=True)
        assert (state.type, state.name) == (StateType.FAILED, "TimedOut")

    pipeline()


def test_hooks(mode):
    """State hooks are called, those of the decorator and those that are added."""
    seen = []

    def note(task, run, state):
        seen.append((task.name, state.name))

    @task(on_completion=[note], on_running=[note])
    def good():
        return 1

    @task
    def bad():
        raise ValueError("no")

    @bad.on_failure
    def noted(task, run, state):
        seen.append((task.name, state.name))

    @flow
    def pipeline():
        good()
        bad(return_state=True)

    pipeline()
    assert sorted(seen) == [("bad", "Failed"), ("good", "Completed"), ("good", "Running")]


def test_with_options(mode):
    """`with_options` gives a task of the same kind with other options."""

    @task(retries=1)
    def work(x):
        return x

    other = work.with_options(name="other", retries=3, tags=["t"])
    assert type(other) is type(work)
    assert (other.name, other.retries, other.tags, work.retries) == ("other", 3, {"t"}, 1)

    @flow
    def pipeline():
        return load(other(3))

    assert pipeline() == 3


def test_runtime_and_tags(mode, server):
    """`prefect.runtime` and `tags` work inside a task."""

    @task(tags={"own"})
    def look():
        return sorted(prefect.runtime.task_run.tags), prefect.runtime.task_run.parameters

    @flow
    def pipeline():
        with tags("outer"):
            return load(look())

    names, parameters = pipeline()
    assert list(names) == ["outer", "own"]
    assert parameters == {}


def test_task_run_names(mode):
    """A template or a function names the run."""

    @task(task_run_name="look-{x}")
    def by_template(x):
        return prefect.runtime.task_run.name

    @task(task_run_name=lambda: "called")
    def by_function(x):
        return prefect.runtime.task_run.name

    @flow
    def pipeline():
        return load([by_template(3), by_function.submit(1)])

    assert pipeline() == ["look-3", "called"]


def test_a_run_is_named_by_its_task_where_its_inputs_are_not_known_yet(mode):
    """A name from arguments that are futures without an output cannot be filled."""

    @task(task_run_name="named-{base}")
    def add(x):
        return x + 1

    @flow
    def pipeline():
        return load(add.submit(add.submit(1)))

    assert pipeline() == 3


def test_print_is_logged_where_the_flow_says(mode, caplog):
    """`log_prints` of the flow holds for its tasks."""

    @task
    def speak():
        print("hello from the task")

    @flow(log_prints=True)
    def pipeline():
        speak()

    pipeline()
    assert "hello from the task" in caplog.text


def test_nested_tasks_and_subflows(mode):
    """Tasks call tasks, flows call flows, and both take futures."""

    @task
    def inner(x):
        return x + 1

    @task
    def outer(x):
        return load(inner(x)) * 10

    @flow
    def child(x):
        return load(outer.submit(x))

    @flow
    def parent():
        return child(inner.submit(1)), child(5)

    if mode == "prefect":
        assert parent() == (30, 60)
    else:
        assert parent() == (30, 60)


def test_outside_a_flow(mode):
    """A task can be called without a flow; `submit` says that it needs one."""

    @task
    def one():
        return 1

    assert load(one()) == 1
    if mode != "prefect.skiptask":
        with pytest.raises(RuntimeError, match="outside of a flow"):
            one.submit()


def test_items_are_given_back(caching, tmp_path):
    """In the caching modes a call returns an item, and a future has it from the start."""

    @task(target="out/{x}.json")
    def make(x):
        return [x]

    @flow
    def pipeline():
        future = make.submit(1)
        assert future.item.location == str(tmp_path / "out/1.json")
        assert isinstance(future.result(), Item)
        assert isinstance(make(2), Item)
        return make(2)

    assert pipeline().load() == [2]
    assert (tmp_path / "out/1.json").read_text().strip() == "[1]" or load(make(1)) == [1]


def test_a_deleted_output_is_made_anew(caching, tmp_path):
    """Prefect's own cache does not stand in for an output that is gone."""

    @task(target="out/{x}.json", cache_policy=INPUTS, persist_result=True)
    def make(x):
        return [x]

    @flow
    def pipeline():
        return load(make(1))

    for _ in range(2):
        assert pipeline() == [1]
        (tmp_path / "out/1.json").unlink()


def test_upstream_failure_is_named(caching):
    """A target that needs the result of a failed call says so at once."""

    @task(target=None)
    def bad():
        raise ValueError("no")

    @task(target="out/{x}.json")
    def use(x):
        return x

    @flow
    def pipeline():
        with pytest.raises(UpstreamError, match="no"):
            use.submit(bad.submit())

    pipeline()


def test_prefects_own_cache_keys_hit():
    """They look for the function's code and source: those of the task's function."""
    from prefect.cache_policies import INPUTS, TASK_SOURCE
    from prefect.tasks import task_input_hash

    key, ran = uuid.uuid4().hex, []

    @task(cache_key_fn=task_input_hash, persist_result=True)
    def by_function(x, key):
        ran.append(("function", x))
        return x

    @task(cache_policy=INPUTS + TASK_SOURCE, persist_result=True)
    def by_source(x, key):
        ran.append(("source", x))
        return x

    @flow
    def around():
        for each in (by_function, by_source):
            assert [each(1, key), each(1, key), each(2, key)] == [1, 1, 2]
            assert each.submit(1, key).result() == 1

    with prefectx.override(mode="prefect"):
        around()
        around()
    assert ran == [("function", 1), ("function", 2), ("source", 1), ("source", 2)]
