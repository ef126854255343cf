"""The names of Prefect that we use although it may change them without notice, and why.

Includes those that `engines/prefect_dask` uses.
"""

from __future__ import annotations

import functools

from prefectx.engines.upstream import Entry, Name, Parameters, Text, require

SEEN_WORKING = "3.8.8 to 3.9.1"

_API_SERVER = "prefect.server.api.server"
_EMBEDDED = "starts one embedded server for this process and its workers, and stops it"
_FUTURE = "lets Prefect's wait and as_completed take the future of a skipped call"
_OUTAGE = "lets the requests of a run wait while the server is away"
_LOG = "sends log lines of a run to its page, in the configured format"
_TASK = "makes what Prefect runs for one call: the caching step in place of the function"
_FLOW = "makes what Prefect runs for a flow: its function, counted and watched"
_HOOKS = "adds state hooks to tasks and flows"
_WORKER = "gives calls on Dask workers the context of the flow run"
_CRASH = "marks the run of a call whose Dask worker died"

USED: tuple[Entry, ...] = (
    # The API: api.py, runners.py, watch.py
    Text(_API_SERVER, "class SubprocessASGIServer", _EMBEDDED),
    Text(_API_SERVER, "self.running", _EMBEDDED),
    Text(_API_SERVER, "self.server_process", _EMBEDDED),
    Text(_API_SERVER, "def api_url(", _EMBEDDED),
    Name(
        "prefect.task_runners:ProcessPoolTaskRunner.subprocess_message_processor_factories",
        "gives the settings of the run to the thread that passes on the reports of a pool",
    ),
    Parameters(
        "prefect.task_runners:ProcessPoolTaskRunner",
        "initializer initargs",
        "sets up logging in the processes of a pool",
    ),
    Name("prefect.context:get_settings_context", "takes a run's settings to other threads"),
    Name("prefect.context:SettingsContext.profile", "takes a run's settings to other threads"),
    Text(
        "prefect.engine",
        "PREFECT__FLOW_RUN_ID",
        "shows that a runner of Prefect has started this process for a flow run",
    ),
    # A server that is away: outages.py
    Name("prefect.context:SyncClientContext.client", _OUTAGE),
    Name("prefect.context:AsyncClientContext.client", _OUTAGE),
    Name("prefect.client.orchestration:PrefectClient._client", _OUTAGE),
    Name("prefect.client.orchestration:SyncPrefectClient._client", _OUTAGE),
    Name("httpx:Client._transport", _OUTAGE),
    Name("httpx:AsyncClient._transport", _OUTAGE),
    Name("prefect.events.worker:EventsWorker._instances", _OUTAGE),
    Text("prefect.events.worker", "self._client =", _OUTAGE),
    Text("prefect.events.worker", "self._orchestration_client =", _OUTAGE),
    Text("prefect.logging.handlers", "as self._client:", _OUTAGE),
    Name(
        "prefect.events.clients:PrefectEventsClient._reconnection_attempts",
        "gives up events when the server is away for too long",
    ),
    # Logging: logs.py, threads.py
    Name("prefect.logging.configuration:load_logging_config", _LOG),
    Name("prefect.logging.configuration:setup_logging", _LOG),
    Name("prefect.logging.handlers:APILogHandler", _LOG),
    Name("prefect.logging.handlers:PrefectConsoleHandler", _LOG),
    Name("prefect.logging.handlers:APILogWorker.instance", _LOG),
    Name("prefect.logging.handlers:APILogWorker.drain_all", _LOG),
    Name("prefect.events.worker:EventsWorker.instance", "sends the states of task runs"),
    Name("prefect.events.worker:EventsWorker.drain_all", "sends the states of task runs"),
    # Futures: futures.py
    Name("prefect.futures:PrefectTaskRunFuture._final_state", _FUTURE),
    Name("prefect.futures:PrefectWrappedFuture._final_state", _FUTURE),
    Name("prefect.futures:PrefectWrappedFuture._wrapped_future", "releases Dask's future"),
    # Runners: inline.py
    Name("prefect.task_runners:ThreadPoolTaskRunner._executor", "runs calls at once"),
    # Calls: __init__.py, tasks.py, steps.py, submission.py
    Name(
        "prefect.utilities.visualization:get_task_viz_tracker",
        "leaves calls to Prefect while a flow is drawn",
    ),
    Name("prefect.tasks:Task.isasync", _TASK),
    Name("prefect.tasks:Task.isgenerator", _TASK),
    Name("prefect.tasks:Task.task_key", _TASK),
    Name("prefect.tasks:Task.source_code", "keeps the code of a task that is copied"),
    Name("prefect.tasks:Task.task_run_name", "names the runs of a call"),
    Name("prefect.tasks:Task.on_rollback_hooks", "deletes an output that is rolled back"),
    Name("prefect.tasks:Task.on_completion_hooks", _HOOKS),
    Name("prefect.tasks:Task.on_failure_hooks", _HOOKS),
    Name("prefect.tasks:Task.on_running_hooks", _HOOKS),
    Name("prefect.tasks:Task.on_commit_hooks", _HOOKS),
    Text("prefect.transactions", '"log_on_run"', "deletes an output without a line in the log"),
    Text(
        "prefect.task_worker",
        ".with_options(",
        "tells a task that a task worker serves from its copies elsewhere",
    ),
    Name(
        "prefect.context:TaskRunContext.parameters",
        "hides the extra argument on a task worker",
    ),
    # Flows: flows.py, runs.py
    Name("prefect.flows:Flow.isasync", _FLOW),
    Name("prefect.flows:Flow.isgenerator", _FLOW),
    Name("prefect.flows:Flow.task_runner", _FLOW),
    Name("prefect.flows:Flow.validate_parameters", "leaves items among the parameters as they are"),
    Name("prefect.flows:Flow.on_completion_hooks", _HOOKS),
    Name("prefect.flows:Flow.on_failure_hooks", _HOOKS),
    Name("prefect.flows:Flow.on_cancellation_hooks", _HOOKS),
    Name("prefect.flows:Flow.on_crashed_hooks", _HOOKS),
    Name("prefect.flows:Flow.on_running_hooks", _HOOKS),
    # On Dask: contexts.py, submission.py, worker.py, crashes.py
    Name("prefect.context:serialize_context", _WORKER),
    Name("prefect.context:TaskRunContext.serialize", _WORKER),
    Name("prefect.context:TagsContext.serialize", _WORKER),
    Name("prefect.context:AssetContext.from_task_and_inputs", _WORKER),
    Name("prefect.utilities.engine:collect_task_run_inputs_sync", _WORKER),
    Name("prefect.utilities.annotations:BaseAnnotation.unwrap", _WORKER),
    Name("prefect.task_runners:TaskRunner._started", "refuses calls before the runner is started"),
    Parameters(
        "prefect.task_engine:run_task_sync",
        "task task_run_id parameters wait_for return_type dependencies context",
        "runs a call on a Dask worker",
    ),
    Parameters(
        "prefect.task_engine:run_task_async",
        "task task_run_id parameters wait_for return_type dependencies context",
        "runs a call on a Dask worker",
    ),
    Name("prefect.results:ResultRecord.result", "takes the item out of Prefect's record"),
    Name("prefect.utilities.engine:emit_task_run_state_change_event", _CRASH),
    Name("prefect.client.orchestration:SyncPrefectClient.set_task_run_state", _CRASH),
)


@functools.cache
def check() -> None:
    """Refuse a version of Prefect that lacks one of the names; checks once per process.

    Raises:
        MissingDependencyError: it names the version, the missing names, and versions that work.
    """
    require("prefect", SEEN_WORKING, USED)
