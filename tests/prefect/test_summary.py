"""What is seen of a flow run afterwards: on its pages, in its log, in `last_run`."""

import asyncio
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import prefect
import pytest

import prefectx
from prefectx import flow, task
from tests.prefect.conftest import using_api, wait_until


@task(target="out/{x}.json")
def number(x):
    if x == 13:
        raise ValueError("unlucky\nin two lines")
    time.sleep(0.02)  # more than what rounds to nothing
    return x


@flow
def pipeline(xs):
    number.map(xs).wait()
    return number(1)


@flow
def parent():
    pipeline([1, 2])
    return prefect.runtime.flow_run.id


def counts(flow):
    return {name: (one.skipped, one.ran, one.failed) for name, one in flow.last_run.tasks.items()}


def test_last_run(server, mode, tmp_path):
    """`last_run` says what the calls came to, and names the targets of the failures."""
    pipeline([1, 2, 13])
    assert counts(pipeline) == {"number": (0, 3, 1) if mode == "prefect" else (1, 2, 1)}
    assert pipeline.last_run.tasks["number"].longest > 0
    [failure] = pipeline.last_run.failures
    expected = None if mode == "prefect" else str(tmp_path / "out/13.json")
    assert (failure.task, failure.target) == ("number", expected)
    assert "unlucky" in failure.reason
    pipeline([1, 2, 3])
    assert counts(pipeline) == {"number": (0, 4, 0) if mode == "prefect" else (3, 1, 0)}
    assert pipeline.last_run.failures == []


def test_async_last_run(server, mode):
    """Async calls are counted as well."""

    @task
    async def add(x):
        return x + 1

    @flow
    async def run():
        await add(1)
        await asyncio.gather(add(2), add(3))

    asyncio.run(run())
    assert counts(run) == {"add": (0, 3, 0)}


def test_table_of_the_flow_run(server, mode):
    """Each flow run, a subflow too, ends with one table on its page, and a line in its log."""
    children = {"parent_flow_run_id": {"any_": [parent()]}}
    [child] = server.read("flow_runs", flow_runs=children)
    tables = server.read("artifacts", artifacts={"flow_run_id": {"any_": [child["id"]]}})
    [table] = [one for one in tables if one["type"] == "table"]
    [row] = json.loads(table["data"])
    assert (row["task"], row["ran"] + row["skipped"], row["failed"]) == ("number", 3, 0)
    assert table["key"] == "prefectx-pipeline"


def states_of(server, flow_run_id):
    """Return (state name, message) of the task runs of a flow run, when they are rows."""
    # Prefect's task runs come to the database by events, a moment later.
    filters = {"flow_runs": {"id": {"any_": [flow_run_id]}}}

    def over():
        runs = server.read("task_runs", **filters)
        return [r for r in runs if r["state_type"] == "COMPLETED"]

    runs = wait_until(over)
    return [(run["state_name"], run["state"]["message"]) for run in runs]


def test_target_on_the_runs_page(server, caching, tmp_path):
    """The state of a run says where its output is; a finished call of cachetask is Cached."""

    @flow
    def alone():
        number.submit(21).wait()
        return prefect.runtime.flow_run.id

    location = str(tmp_path / "out/21.json")
    [(name, message)] = states_of(server, alone())
    assert name == "Completed"
    assert message.startswith(f"Saved {location} after")
    if caching == "prefect.cachetask":
        assert states_of(server, alone()) == [("Cached", f"Found {location}")]


class Proxy:
    """Hands requests on to a server and counts them by method and path."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        counted = self.counted = Counter()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Keep quiet."""

            def hand_on(self):
                counted[self.command, self.path] += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server = HTTPConnection(target.hostname, target.port)
                server.request(self.command, self.path, body, dict(self.headers))
                answer = server.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                server.close()

            do_GET = do_POST = do_PATCH = do_DELETE = hand_on  # http.server's names

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}{target.path}"
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def proxy(real_server):
    """A counting proxy before the real server; the API that the test talks to."""
    proxy = Proxy(real_server.url)
    with using_api(proxy.url):
        yield proxy
    proxy.stop()


@pytest.mark.parametrize("runner", ["threads", pytest.param("dask", marks=pytest.mark.dask)])
@pytest.mark.filterwarnings("ignore:Port 8787 is already in use:UserWarning")
def test_finished_calls_ask_for_nothing(proxy, tmp_path, runner):
    """A flow whose 5,000 targets exist makes no task run and no request for one."""
    (tmp_path / "out").mkdir()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda x: (tmp_path / f"out/{x}.json").write_text(f"{x}"), range(5000)))

    @task(target="out/{x}.json")
    def number(x):
        raise AssertionError("it has an output")

    @task(target="out/0.json", shared=True)
    def total(parts):
        raise AssertionError("it has an output")

    @flow
    def many():
        futures = number.map(range(4000))
        futures += [number.submit(x) for x in range(4000, 5000)]
        prefectx.wait(futures)
        assert all(future.state.is_completed() for future in prefectx.as_completed(futures))
        return total.submit(futures, wait_for=futures)

    options = {"runner": {"type": runner}, "dask": {"workers": 2}, "progress": False}
    with prefectx.override(mode="prefect.skiptask", root=tmp_path, **options):
        assert many().result().name == "0.json"
    paths = Counter(path for (_, path), n in proxy.counted.items() for _ in range(n))
    assert not [path for path in paths if "task_run" in path]
    assert sum(paths.values()) < 30, paths
    assert many.last_run.tasks["number"].skipped == 5000
