"""In mode prefect.cachetask a finished call waits for no slot of a tag."""

from prefect import tags
from prefect.client.orchestration import get_client

from prefectx import flow, override, task


@task(target="out/{n}", tags=["own-tag-without-slots"])
def tagged(n):
    return n


@task(target="plain/{n}")
def plain(n):
    return n


@flow
def pipeline():
    with tags("tag-around-without-slots"):
        return tagged.submit(1).state, plain.submit(1).result(), tagged(1), plain(1)


def test_a_finished_call_waits_for_no_slot(on_prefect, tmp_path):
    with override(mode="prefect.cachetask", root=tmp_path, progress=False):
        pipeline()
        with get_client(sync_client=True) as client:
            for tag in ("own-tag-without-slots", "tag-around-without-slots"):
                client.create_concurrency_limit(tag, 0)
            try:
                found = pipeline()
            finally:
                for tag in ("own-tag-without-slots", "tag-around-without-slots"):
                    client.delete_concurrency_limit_by_tag(tag)
    assert [item.stem for item in found[1:]] == ["1", "1", "1"]
