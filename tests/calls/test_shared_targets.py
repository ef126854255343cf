"""Two different calls that share a target: an error before the second gets the first's output."""

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

import prefectx
from prefectx import TargetError, flow, load, task, unmapped
from prefectx.calls import target_owners

CACHING = ["cache", "prefect.cachetask", "prefect.skiptask"]
ran = []


@task(target="sales/{region}-{year}.json")
def sales(region, year, currency):
    ran.append((region, year, currency))
    return f"{region} {year} {currency}"


@pytest.fixture(
    params=[
        "cache",
        *[
            pytest.param((mode, runner), marks=pytest.mark.prefect)
            for mode in CACHING[1:]
            for runner in ("threads", "processes")
        ],
    ]
)
def run(request, tmp_path):
    """Run a function in a flow, in a caching mode and on a runner."""
    mode, runner = request.param if isinstance(request.param, tuple) else (request.param, None)
    if runner:
        request.getfixturevalue("on_prefect")
    ran.clear()

    def in_flow(body):
        results = []

        @flow
        def around():
            results.append(body())

        around()
        return results[0]

    with prefectx.override(mode=mode, root=tmp_path, runner={"type": runner or "threads"}):
        yield in_flow


CURRENCIES = ["EUR", "EUR", "USD", "USD"]


def test_mapped_calls_that_share_a_target_run_not_at_all(run, tmp_path):
    """The error names both calls and the argument that the template lacks; nothing has run."""
    with pytest.raises(TargetError, match=r"'EUR'.*'USD'.*lacks \{currency\}"):
        run(lambda: sales.map(["n", "s"] * 2, unmapped(2024), CURRENCIES))
    assert ran == []
    assert not list(tmp_path.rglob("*.json"))


def test_what_does_not_count_as_scalar_is_told_apart_too(run, tmp_path):
    """Lists among the arguments take the long way, to the same error."""
    with pytest.raises(TargetError, match=r"lacks \{currency\}"):
        run(lambda: sales.map(["n", "n"], 2024, [["EUR"], ["USD"]]))
    with pytest.raises(TargetError, match=r"lacks \{currency\}"):
        run(lambda: sales.map(["n", "n"], 2024, ["EUR", ["USD"]]))
    assert not list(tmp_path.rglob("*.json"))


def test_submitted_calls_that_share_a_target_are_an_error(run):
    """The second is refused, whether the first is over or not."""

    def body():
        sales.submit("n", 2024, "EUR")
        sales.submit("n", 2024, "USD")

    with pytest.raises(TargetError, match=r"lacks \{currency\}"):
        run(body)


def test_equal_mapped_calls_are_one_output(run):
    """The same call twice in one map is no error."""
    futures = run(lambda: load(sales.map(["n", "n"], 2024, "EUR").result()))
    assert futures == ["n 2024 EUR"] * 2


def test_shared_targets_are_allowed_if_wanted(run):
    """With shared = true the output is that of one of the calls, for all of them."""
    shared = sales.with_options(shared=True)
    found = run(lambda: load(shared.map(["n", "n"], 2024, ["EUR", "USD"]).result()))
    assert len(set(found)) == 1


@pytest.mark.parametrize("values", [(1, True), (1, 1.0), (0.0, -0.0), (True, 1.0), ("1", b"1")])
def test_equal_values_of_other_types_are_other_calls(values, tmp_path):
    """`1`, `True` and `1.0` are three values, in the fast path and in the long one."""
    one = task(target="one.json")(lambda x, y: 1)
    for first, second in ((values[0], values[1]), ([values[0]], [values[1]])):
        with prefectx.override(mode="cache", root=tmp_path):
            target_owners().clear()
            (tmp_path / "one.json").unlink(missing_ok=True)
            one(first, 0)
            with pytest.raises(TargetError):
                one(second, 0)


def test_a_later_flow_run_has_claims_of_its_own(tmp_path):
    """Two inputs today and three tomorrow fill one report: no error; it is told to be stale."""

    @task
    def part(number):
        return number

    @task(target="report.json")
    def report(parts):
        return parts

    @flow
    def pipeline(parts):
        return load(report([part(number) for number in parts]))

    with prefectx.override(mode="cache", root=tmp_path):
        assert pipeline([1]) == [1]
        assert pipeline([1, 2]) == [1]
        assert pipeline.last_run.stale == {
            "report": {str(tmp_path / "report.json"): ("'parts' had 1 inputs, and has 2",)}
        }

        @flow
        def both():
            report([part(1)])
            report([part(1), part(2)])

        with pytest.raises(TargetError):
            both()


def test_a_flow_in_a_flow_belongs_to_its_run(tmp_path):
    """The outer run's claims hold in the inner one, and the other way round."""

    @task(target="one.json")
    def one(x):
        return x

    @flow
    def inner(x):
        return one(x)

    @flow
    def outer():
        inner(1)
        inner(2)

    with prefectx.override(mode="cache", root=tmp_path), pytest.raises(TargetError):
        outer()


def test_nothing_is_remembered_of_a_run_that_is_over(tmp_path):
    """A process that serves flows does not grow with each run."""

    @task(target="{x}.json")
    def one(x):
        return 1

    owners = []

    @flow
    def pipeline():
        one.map(range(10))
        owners.append(weakref.ref(target_owners()))

    with prefectx.override(mode="cache", root=tmp_path):
        for _ in range(3):
            pipeline()
    one.resolved()
    gc.collect()
    # The task keeps those of its latest run, for the next.
    assert [found() is None for found in owners[:-1]] == [True, True]


def test_long_texts_are_not_kept(tmp_path):
    """What is remembered of a call with a large argument is small."""

    @task(target="{number}.json")
    def one(number, text):
        return number

    text = b"x" * 5_000_000
    with prefectx.override(mode="cache", root=tmp_path):
        one(1, text)
    assert sys.getrefcount(text) <= 3


NOTEBOOK = """
import sys
from prefectx import TargetError, load, task

if {interactive}:
    sys.ps1 = "In : "  # as in notebooks
cell = "@task(target='{{x}}.json')\\ndef twice(x):\\n    return "
exec(cell + "2 * x")
found = [load(twice(1))]
exec(cell + "2 * x  # the same")
found.append(load(twice(1)))
exec(cell + "20 * x")
try:
    found += [load(twice(1)), *load(twice.map([1, 1])), load(twice.submit(1))]
except TargetError as error:
    found.append(str(error))
print(found)
"""


@pytest.mark.parametrize("interactive", [True, False])
def test_a_function_that_is_redefined_interactively_runs_again(tmp_path, interactive):
    """In a notebook the newest definition counts; elsewhere it is another function: an error."""
    root = Path(prefectx.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK.format(interactive=interactive)],
        cwd=tmp_path,
        env=os.environ | {"PREFECTX": "cache", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    if interactive:
        assert done.stdout.strip() == str([2, 2, 20, 20, 20, 20])
    else:
        assert "[2, 2, " in done.stdout
        assert "differ in code" in done.stdout


def test_ignored_arguments_do_not_count(tmp_path):
    """`ignore` names arguments that do not tell calls apart."""

    @task(target="{x}.json", ignore=["log"])
    def one(x, log=None):
        return x

    with prefectx.override(mode="cache", root=tmp_path):
        assert one(1, "a") == one(1, log="b") == one(1, object())
        with pytest.raises(prefectx.ConfigError, match=r"'one'.*ignore names 'lgo'.*x, log"):
            one.with_options(ignore=["lgo"])(1)
