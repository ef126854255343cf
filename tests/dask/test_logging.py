"""What workers log, and what is logged for them."""

import pytest

import prefectx
from tests.dask import jobs


def test_lines_reach_the_api_with_their_place(on_dask, logged):
    """Lines of the task and of extra loggers come under the task run, with line numbers."""
    with prefectx.override(logging={"extra_loggers": ["mylib"]}):
        jobs.talking()
    assert "jobs:" in logged("talk", "from the task")
    assert "jobs:" in logged("talk", "from a library")


@pytest.mark.slow
def test_a_task_that_holds_the_interpreter_is_reported(on_dask, logged):
    """The helper process of the worker says how long it has been running."""
    with prefectx.override(keepalive={"interval": 1}):
        jobs.holding()
    assert "running" in logged("hold", "Still running")
