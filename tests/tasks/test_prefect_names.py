"""Names that a program imports from Prefect work where no Prefect runs."""

import pytest

from prefectx import flow, load, override, task


@pytest.mark.parametrize("mode", ["function", "cache"])
def test_marks_tags_wait_and_as_completed_of_prefect(mode, tmp_path):
    """unmapped, allow_failure, quote, tags, wait and as_completed may come from Prefect."""
    from prefect import allow_failure, tags, unmapped
    from prefect.futures import as_completed, wait
    from prefect.utilities.annotations import quote

    @task
    def pair(x, y):
        return [x, y]

    @task
    def fail(x):
        raise ValueError(x)

    @task
    def words(x):
        return repr(x)

    @flow
    def run():
        with tags("a"):
            pairs = pair.map([1, 2], unmapped([5]))
        failed = fail.submit(1)
        done, not_done = wait([*pairs, failed])
        assert (len(done), len(not_done), len(list(as_completed(pairs)))) == (3, 0, 2)
        return [pairs, words.submit(allow_failure(failed)), words.submit(quote([1]))]

    with override(mode=mode, root=tmp_path):
        assert load(run()) == [[[1, [5]], [2, [5]]], "ValueError(1)", "[1]"]
