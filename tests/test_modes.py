"""The contract of the modes: one pipeline, five modes, one answer."""

import subprocess
import sys
from pathlib import Path

import pytest

import prefectx
from prefectx.errors import ConfigError
from tests import pipeline as module
from tests.pipeline import EXPECTED, pipeline, ran

INLINE = ["function", "cache"]
THREADS = "cache on threads"
PREFECT = ["prefect", "prefect.cachetask", "prefect.skiptask"]


def with_prefect(names):
    return [pytest.param(name, marks=pytest.mark.prefect) for name in names]


@pytest.fixture
def mode(request: pytest.FixtureRequest, tmp_path: Path):
    """The mode that the test runs in, with outputs under tmp_path."""
    if request.param.startswith("prefect"):
        request.getfixturevalue("on_prefect")
    ran.clear()
    name, _, runner = request.param.partition(" on ")
    with prefectx.override(mode=name, root=tmp_path, runner={"type": runner or None}):
        yield name


every_mode = pytest.mark.parametrize(
    "mode", [*INLINE, THREADS, *with_prefect(PREFECT)], indirect=True
)
caching_modes = pytest.mark.parametrize(
    "mode", ["cache", THREADS, *with_prefect(PREFECT[1:])], indirect=True
)


@every_mode
def test_the_answer_is_the_same(mode):
    """The pipeline gives the same data, whatever runs it."""
    assert prefectx.load(pipeline(4)) == EXPECTED


@caching_modes
def test_a_second_run_executes_only_what_failed(mode):
    """Finished calls are skipped, the failed one is tried again."""
    pipeline(4)
    ran.clear()
    assert prefectx.load(pipeline(4)) == EXPECTED
    assert set(ran) <= {"pick 1"}


@caching_modes
def test_deleting_an_output_redoes_that_call_only(mode, tmp_path):
    """The file of one call is its record: without it the function runs again."""
    pipeline(4)
    (tmp_path / "squares" / "02.json").unlink()
    ran.clear()
    pipeline(4)
    assert set(ran) - {"pick 1"} == {"square 2"}


@caching_modes
def test_outputs_are_files_at_chosen_paths(mode, tmp_path):
    """Outputs lie under the root, by the names that the targets say."""
    pipeline(4)
    assert (tmp_path / "squares" / "03.json").read_text().strip() == "9"
    assert (tmp_path / "working" / "numbers" / "4").exists()


@caching_modes
def test_a_call_returns_an_item(mode, tmp_path):
    """A direct call gives a reference, on the first run and on the second."""

    @prefectx.flow
    def two():
        return [module.square(5), module.square(5)]

    items = two()
    assert [type(item) for item in items] == [prefectx.Item, prefectx.Item]
    assert items[0].location == str(tmp_path / "squares" / "05.json")
    assert items[0].load() == 25


@every_mode
def test_futures_answer_alike(mode):
    """Futures have result, state, wait, callbacks; failures are held until asked for."""
    seen = []

    @prefectx.flow
    def ask():
        good, bad = module.pick.submit(5), module.pick.submit(1)
        good.wait()
        bad.wait()
        good.add_done_callback(seen.append)
        with pytest.raises(ValueError, match="1 is not wanted"):
            bad.result()
        error = bad.result(raise_on_failure=False)
        done, not_done = prefectx.wait([good, bad])
        completed = list(prefectx.as_completed([good, bad]))
        return [
            prefectx.load(good),
            good.state.is_completed(),
            bad.state.is_failed(),
            type(error).__name__,
            len(done),
            len(not_done),
            len(completed),
        ]

    assert ask() == [5, True, True, "ValueError", 2, 0, 2]
    assert len(seen) == 1


@every_mode
def test_a_failed_input_keeps_its_consumer_from_running(mode):
    """A call whose input failed does not run; its failure is held as well."""

    @prefectx.flow
    def chain():
        consumer = module.describe.submit(module.pick.submit(1))
        consumer.wait()
        return consumer.state.is_completed()

    assert chain() is False
    assert "describe" not in ran


@every_mode
def test_wait_for_orders_calls(mode):
    """What is waited for runs first."""

    @prefectx.flow
    def ordered():
        first = module.square.submit(11)
        module.pick.submit(12, wait_for=[first]).wait()

    ordered()
    assert ran == ["square 11", "pick 12"]


@every_mode
def test_options_of_one_use(mode, tmp_path):
    """with_options gives a task of its own and leaves the first as it was."""
    cubed = module.square.with_options(target="cubes/{x}.json", tags=["b"], retries=1)

    @prefectx.flow
    def both():
        return [cubed(2), module.square(2)]

    assert prefectx.load(both()) == [4, 4]
    assert (tmp_path / "cubes" / "2.json").exists() == (mode not in ("function", "prefect"))


@caching_modes
def test_refresh_runs_again_and_replaces(mode):
    """refresh=True runs the function though its output exists."""

    @prefectx.flow
    def again():
        module.square(6)
        return module.square.with_options(refresh=True)(6)

    assert prefectx.load(again()) == 36
    assert ran == ["square 6", "square 6"]


@every_mode
def test_a_task_may_save_its_own_output(mode, tmp_path):
    """With save=False the function writes to the current target; where outputs are kept it is
    skipped then."""
    wrote = []

    @prefectx.task(save=False, target="own/{name}.txt")
    def write(name):
        path = Path(prefectx.current_target())
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        wrote.append(name)
        return "data"

    @prefectx.flow
    def run():
        return write("a")

    assert run() == "data"
    assert isinstance(run(), str if mode in ("function", "prefect") else prefectx.Item)
    assert wrote == (["a", "a"] if mode in ("function", "prefect") else ["a"])
    assert (tmp_path / "own" / "a.txt").read_text() == "mine"


@caching_modes
def test_target_none_keeps_nothing(mode, tmp_path):
    """Without a target the call returns its data and leaves no file."""

    @prefectx.task(target=None)
    def plain(x):
        return x + 1

    @prefectx.flow
    def run():
        return [plain(1), prefectx.load(module.describe.submit(plain.submit(2)))]

    assert run() == [2, "int: 3"]
    assert not (tmp_path / "working" / "plain").exists()


@every_mode
def test_a_parameter_of_items_gets_the_item(mode):
    """A parameter annotated Item is not loaded, where there are items."""

    @prefectx.task
    def look(x: prefectx.Item) -> str:
        return type(x).__name__

    @prefectx.flow
    def run():
        return look(module.square(8))

    expected = "int" if mode in ("function", "prefect") else "Item"
    assert prefectx.load(run()) == expected


@every_mode
async def test_async_flows_and_tasks(mode):
    """Async tasks are awaited, async flows too; submit gives a future."""

    @prefectx.flow
    async def run():
        return [await module.double(1), module.double.submit(2)]

    assert prefectx.load(await run()) == [2, 4]


def test_an_unknown_mode_is_an_error_that_lists_the_five(monkeypatch):
    """A wrong PREFECTX names the five modes."""
    monkeypatch.setenv("PREFECTX", "cached")
    with pytest.raises(ConfigError) as error:
        module.square(1)
    assert all(name in str(error.value) for name in INLINE + PREFECT)


@pytest.mark.parametrize("mode", INLINE)
def test_light_modes_import_neither_prefect_nor_dask(mode, tmp_path):
    """Without Prefect in the mode, nothing of it is imported."""
    program = (
        "import sys\n"
        "from tests.pipeline import pipeline\n"
        "pipeline(4)\n"
        "heavy = {'prefect', 'dask', 'distributed', 'pandas', 'pyarrow', 'numpy', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    root = Path(__file__).parent.parent
    environment = {"PREFECTX": mode, "PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
