"""The keys: which there are, where they may stand, what they mean, what holds without them.

The JSON schema and the table in docs/configuration.md are made from these models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from prefectx.settings.secrets import masked
from prefectx.settings.values import (
    ClassName,
    Duration,
    Fraction,
    ImportPath,
    Level,
    LogFormat,
    MemoryLimit,
    Mode,
    Names,
    OptionalPlace,
    Place,
    Progress,
    RunName,
    Size,
    StoreReference,
    Template,
    Url,
    WorkerCount,
    WorkerNames,
)


class Section(BaseModel):
    """A table of the configuration; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield what the repr shows; secrets are masked."""
        for name, value in super().__repr_args__():
            yield name, masked(value, name or "")


class TaskKeepalive(Section):
    """What is done for a task that runs long."""

    interval: Duration = Field(
        100.0,
        description="A task that runs longer than this says so in its log, time and again.",
    )


class Keepalive(TaskKeepalive):
    """What is done for tasks that run long."""

    outage: Duration = Field(
        600.0,
        description="How long Prefect's server may be away without a run being lost.",
    )


class _DaskNeeds(Section):
    memory: Size = Field(
        None,
        examples=["2GB"],
        description="Memory that a task needs: no more of them run on a worker at a time than fit.",
    )
    priority: int = Field(0, description="Tasks of a higher priority run first.")
    trim: bool = Field(
        True, description="Give memory that Python has freed back to the system after a task."
    )


class TaskDask(_DaskNeeds):
    """What one task needs of a Dask worker."""

    resources: dict[str, float] = Field(
        default_factory=dict,
        examples=[{"GPU": 1}],
        description="What a task takes of its worker's resources while it runs.",
    )
    workers: WorkerNames = Field(
        None,
        examples=[["big-1"]],
        description="Names or addresses of the only workers that may run the task.",
    )


class Dask(_DaskNeeds):
    """The Dask cluster, where `runner.type` is "dask"."""

    address: str | None = Field(
        None,
        examples=["tcp://scheduler:8786"],
        min_length=1,
        description="Address of the scheduler of an existing cluster; without it one is made.",
    )
    tls_ca_file: OptionalPlace = Field(
        None,
        examples=["/etc/dask/ca.pem"],
        description="File with the certificate authority, where the cluster speaks TLS.",
    )
    tls_cert: OptionalPlace = Field(
        None, examples=["/etc/dask/cert.pem"], description="File with the client's TLS certificate."
    )
    tls_key: OptionalPlace = Field(
        None, examples=["/etc/dask/key.pem"], description="File with the key of that certificate."
    )
    workers: WorkerCount = Field(
        None,
        examples=[4],
        description="Number of workers; as many as the machine has cores for, if not set.",
    )
    threads_per_worker: int = Field(
        1, ge=1, description="Tasks that one worker runs at the same time."
    )
    processes: bool = Field(
        True, description="Workers are processes; false makes them threads of one process."
    )
    memory_limit: MemoryLimit = Field(
        "auto",
        description="Memory of one worker: a size, a fraction of the machine's, "
        '"auto" (its share), or false (no limit).',
    )
    target: Fraction = Field(
        None,
        examples=[0.6],
        description="Fraction of the limit from which on Dask's own data goes to disk.",
    )
    spill: Fraction = Field(
        None,
        examples=[0.7],
        description="Fraction of the limit from which on a worker spills to disk.",
    )
    pause: Fraction = Field(
        None,
        examples=[0.8],
        description="Fraction of the limit from which on a worker starts no more tasks.",
    )
    terminate: Fraction = Field(
        None, examples=[0.95], description="Fraction of the limit from which on a worker is killed."
    )
    resources: dict[str, float] = Field(
        default_factory=dict,
        examples=[{"GPU": 1}],
        description="What each worker has of what tasks ask for, such as GPUs.",
    )
    environ: dict[str, str] = Field(
        default_factory=dict,
        examples=[{"OMP_NUM_THREADS": "1"}],
        description="Environment variables of the workers.",
    )
    allowed_failures: int = Field(
        3,
        ge=0,
        description="How often a call is tried again after its worker has died for another reason "
        "than its memory, where its retries are fewer.",
    )
    worker_ttl: Duration = Field(
        None,
        examples=["10m"],
        description="A worker that is silent for so long counts as lost; Dask decides, if not set.",
    )
    cluster_class: ImportPath = Field(
        None,
        examples=["dask_jobqueue:SLURMCluster"],
        description="Another cluster class than Dask's LocalCluster.",
    )
    cluster_kwargs: dict[str, Any] = Field(
        default_factory=dict,
        examples=[{"queue": "long"}],
        description="Further arguments of the cluster class.",
    )
    adapt: dict[str, Any] = Field(
        default_factory=dict,
        examples=[{"minimum": 1, "maximum": 8}],
        description="Let the cluster grow and shrink between a minimum and a maximum.",
    )
    performance_report: OptionalPlace = Field(
        None,
        examples=["working/dask.html"],
        description="File for Dask's performance report of each flow run.",
    )


class Runner(Section):
    """What runs the submitted tasks of a flow."""

    type: Literal["threads", "processes", "dask"] = Field(
        "threads", description="Threads of the flow's process, a process pool, or Dask."
    )
    max_workers: int | None = Field(
        None,
        examples=[8],
        ge=1,
        description="Number of threads or processes; Prefect decides, if not set.",
    )


class Logging(Section):
    """How runs are logged, the same in every process."""

    level: Level = Field("INFO", description="What is less urgent is not logged.")
    format: LogFormat = Field(
        "%(asctime)s.%(msecs)03d | %(levelname)-7s | %(module)s:%(lineno)d | %(message)s",
        description="Format of a line, in the terms of Python's logging.",
    )
    datefmt: str = Field("%H:%M:%S", description="Format of the time in a line.")
    extra_loggers: Names = Field(
        (),
        examples=[["mylib"]],
        description="Further loggers whose messages belong to a run's log.",
    )
    config: OptionalPlace = Field(
        None,
        examples=["config/logging.yml"],
        description="A dictConfig file (YAML or JSON) in the place of all of the above.",
    )


class _Keys(Section):
    mode: Mode = Field(
        "prefect.skiptask",
        description="What @task and @flow do. PREFECTX beats it.",
    )
    root: Place = Field(
        ".",
        description="Folder or URL under which targets lie; the folder of the configuration file.",
    )
    target: Template = Field(
        "working/{funcname}/{base}",
        description="Template of the place where a call's output is kept; false: it is not kept.",
    )
    store: StoreReference = Field(
        "file",
        description='Where outputs are kept: "file", "sql", the name of a [stores.NAME] table, '
        'or "package.module:Class".',
    )
    format: str | None = Field(
        None,
        examples=["json"],
        min_length=1,
        description="How an object becomes bytes; by the suffix of the target, if not set.",
    )
    save: bool = Field(
        True, description="Save what the function returns; false: the function saves it itself."
    )
    refresh: bool = Field(False, description="Run although the target exists, and replace it.")
    shared: bool = Field(
        False,
        description="Different calls may fill the same target: the first one's output counts.",
    )
    fsync: bool = Field(
        True, description="Flush each output to the disk, so that it survives a power cut."
    )
    lock: bool = Field(
        False,
        description="Let no other process or host run the same call at the same time.",
    )
    on_corrupt: Literal["error", "rerun"] = Field(
        "error",
        description='"rerun": read an output before it counts as finished, and run the call '
        "again if that fails.",
    )
    allow_pickle: bool = Field(
        True,
        description="Save and load pickles; loading one runs code, so trust who wrote it.",
    )
    task_run_name: RunName = Field(
        "{funcname}-{base}", description="Template of the name of a task run."
    )
    context: dict[str, Any] = Field(
        default_factory=dict,
        examples=[{"year": 2024}],
        description="Values for the fields of templates.",
    )


class TaskSection(_Keys):
    """What can be set for one task: by [tasks.NAME], by its decorator, by a variable."""

    keepalive: TaskKeepalive = Field(TaskKeepalive(), description=TaskKeepalive.__doc__)
    dask: TaskDask = Field(TaskDask(), description=TaskDask.__doc__)


class ProjectSection(_Keys):
    """What can be set for all tasks."""

    api_url: Url = Field(
        "http://127.0.0.1:4200/api",
        description="Prefect's API where the user has not chosen one; false leaves it to Prefect.",
    )
    progress: Progress = Field(
        "auto",
        description='Show how a flow gets on: true: live lines; "auto": these on a terminal only, '
        "else plain lines at intervals; false: nothing.",
    )
    logging: Logging = Field(Logging(), description=Logging.__doc__)
    keepalive: Keepalive = Field(Keepalive(), description=Keepalive.__doc__)
    runner: Runner = Field(Runner(), description=Runner.__doc__)
    dask: Dask = Field(Dask(), description=Dask.__doc__)


class StoreSection(Section):
    """A store: its class and the arguments of the class."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any]

    cls: ClassName = Field(
        None, alias="class", description="The class of the store; file and sql have one already."
    )


class Profile(ProjectSection):
    """What is different under this profile; PREFECTX_PROFILE or `profile` names it."""

    stores: dict[str, StoreSection] = Field(
        default_factory=dict, description="Stores with their arguments, by name."
    )
    tasks: dict[str, TaskSection] = Field(
        default_factory=dict,
        description='Settings for single tasks, by name or pattern ("load_*").',
    )


class Configuration(Profile):
    """The whole configuration file of prefectx."""

    profile: str | None = Field(
        None,
        min_length=1,
        description="The profile that is used where PREFECTX_PROFILE is not set.",
    )
    profiles: dict[str, Profile] = Field(
        default_factory=dict, description="Settings that hold under a profile, by its name."
    )


class ResolvedOptions(ProjectSection, BaseSettings):
    """All keys with the values that hold for one task, merged from the layers."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


TASK_KEYS = frozenset(TaskSection.model_fields)
"""The keys that can be set for one task, by its decorator too."""
