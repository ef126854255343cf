"""The keys of the configuration: their types, defaults and descriptions, by table.

The JSON schema and the table in docs/configuration.md are generated from these models. The file
is long because it is a list: it holds every key once, and no logic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from prefectx.masking import masked
from prefectx.settings.values import (
    STALE_BY_DEFAULT,
    Adapt,
    Amount,
    ClassName,
    Duration,
    Fraction,
    ImportPath,
    Kind,
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
    Stale,
    StoreReference,
    Template,
    TimeZone,
    Url,
    WorkerCount,
    WorkerNames,
    no_truth,
)


def _has_kind(field: FieldInfo) -> bool:
    return any(isinstance(part, Kind) for part in field.metadata)


class Section(BaseModel):
    """A table of the configuration; rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        # A kind of values of its own reads them itself.
        is_number = field.annotation in (int, int | None) and not _has_kind(field)
        return no_truth(value, "a whole number") if is_number else value

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Yield the values for the repr, with secrets hidden."""
        for name, value in super().__repr_args__():
            yield name, masked(value, name or "")


class TaskKeepalive(Section):
    """Signs of life of a long task."""

    interval: Duration = Field(
        100.0,
        description="How often a running task logs that it is still running.",
    )


class Keepalive(TaskKeepalive):
    """Signs of life of long tasks, and patience with Prefect's server."""

    outage: Duration = Field(
        600.0,
        description="How long Prefect's server may be unreachable before a run fails.",
    )


class _DaskNeeds(Section):
    memory: Size = Field(
        None,
        examples=["2GB"],
        description="Memory that a task needs; a worker runs only as many tasks at once as fit.",
    )
    priority: int = Field(0, description="Tasks with a higher priority run first.")
    trim: bool = Field(
        True, description="Return freed memory to the operating system after each task."
    )


class TaskDask(_DaskNeeds):
    """What one task needs from a Dask worker."""

    resources: dict[str, Amount] = Field(
        default_factory=dict,
        examples=[{"GPU": 1}],
        description="Resources of its worker that a task uses while it runs.",
    )
    workers: WorkerNames = Field(
        None,
        examples=[["big-1"]],
        description="Names or addresses of the workers that may run the task.",
    )


class Dask(_DaskNeeds):
    """The Dask cluster, used if `runner.type` is "dask"."""

    address: str | None = Field(
        None,
        examples=["tcp://scheduler:8786"],
        min_length=1,
        description="Address of an existing scheduler; if not set, a cluster is created.",
    )
    tls_ca_file: OptionalPlace = Field(
        None,
        examples=["/etc/dask/ca.pem"],
        description="File with the certificate authority of a cluster that uses TLS.",
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
        description="Number of workers; if not set, as many as the cores of the machine allow.",
    )
    threads_per_worker: int = Field(
        1, ge=1, description="Number of tasks that a worker runs at the same time."
    )
    processes: bool = Field(
        True, description="Run workers as processes; false: as threads of one process."
    )
    memory_limit: MemoryLimit = Field(
        "auto",
        description="Memory of one worker: a size, a fraction of the machine's memory, "
        '"auto" (an equal share), or false (no limit).',
    )
    target: Fraction = Field(
        None,
        examples=[0.6],
        description="Fraction of the memory limit above which Dask moves its own data to disk.",
    )
    spill: Fraction = Field(
        None,
        examples=[0.7],
        description="Fraction of the memory limit above which a worker spills to disk.",
    )
    pause: Fraction = Field(
        None,
        examples=[0.8],
        description="Fraction of the memory limit above which a worker starts no tasks.",
    )
    terminate: Fraction = Field(
        None,
        examples=[0.95],
        description="Fraction of the memory limit above which a worker is killed.",
    )
    resources: dict[str, Amount] = Field(
        default_factory=dict,
        examples=[{"GPU": 1}],
        description="Resources that each worker offers to tasks, such as GPUs.",
    )
    environ: dict[str, str] = Field(
        default_factory=dict,
        examples=[{"OMP_NUM_THREADS": "1"}],
        description="Environment variables of the workers.",
    )
    allowed_failures: int = Field(
        3,
        ge=0,
        description="How often a call runs again after its worker died for another reason than its "
        "memory; more often if the task has more retries.",
    )
    worker_ttl: Duration = Field(
        None,
        examples=["10m"],
        description="Silence after which a worker counts as lost; if not set, Dask decides.",
    )
    cluster_class: ImportPath = Field(
        None,
        examples=["dask_jobqueue:SLURMCluster"],
        description="Cluster class to use instead of Dask's LocalCluster.",
    )
    cluster_kwargs: dict[str, object] = Field(
        default_factory=dict,
        examples=[{"queue": "long"}],
        description="More keyword arguments for the cluster class.",
    )
    adapt: Adapt = Field(
        default_factory=dict,
        examples=[{"minimum": 1, "maximum": 8}],
        description="Scale the cluster between a minimum and a maximum number of workers.",
    )
    performance_report: OptionalPlace = Field(
        None,
        examples=["working/dask.html"],
        description="File to write Dask's performance report of each flow run to.",
    )


class Runner(Section):
    """Where the submitted calls of a flow run, in every mode but `function`."""

    type: Literal["inline", "threads", "processes", "dask"] | None = Field(
        None,
        examples=["threads"],
        description="Run submitted calls at once, in threads, in a process pool, or on Dask. If not"
        " set: at once in mode `cache`, in threads in the Prefect modes.",
    )
    max_workers: int | None = Field(
        None,
        examples=[8],
        ge=1,
        description="Number of threads or processes; if not set, Prefect or Python decides.",
    )


class Logging(Section):
    """Logging of runs, the same in every process."""

    level: Level = Field("INFO", description="Lowest level that is logged.")
    format: LogFormat = Field(
        "%(asctime)s.%(msecs)03d | %(levelname)-7s | %(module)s:%(lineno)d | %(message)s",
        description="Format of a log line, as for Python's logging.Formatter.",
    )
    datefmt: str = Field("%H:%M:%S", description="Format of the time in a log line.")
    extra_loggers: Names = Field(
        (),
        examples=[["mylib"]],
        description="More loggers whose messages are part of a run's log.",
    )
    config: OptionalPlace = Field(
        None,
        examples=["config/logging.yml"],
        description="File for logging.config.dictConfig (YAML or JSON); replaces the other keys.",
    )


class _Keys(Section):
    mode: Mode = Field(
        "prefect.skiptask",
        description="What @task and @flow do; PREFECTX overrides it.",
    )
    root: Place = Field(
        ".",
        description="Folder or URL of all targets; by default the configuration file's folder.",
    )
    target: Template = Field(
        "working/{funcname}/{base}",
        description="Template of the path where a call's output is saved; false: it is not saved.",
    )
    store: StoreReference = Field(
        "file",
        description='Where outputs are saved: "file", "sql", the name of a [stores.NAME] table, '
        'or "package.module:Class".',
    )
    format: str | None = Field(
        None,
        examples=["json"],
        min_length=1,
        description="File format of the output; if not set, the suffix of the target decides.",
    )
    save: bool = Field(
        True, description="Save the result of the function; false: the function saves it itself."
    )
    refresh: bool = Field(False, description="Run even if the target exists, and replace it.")
    max_age: Duration = Field(
        None,
        examples=["1d"],
        description="How old an output may be to count as finished; an older one is made anew.",
    )
    stale: Stale = Field(
        STALE_BY_DEFAULT,
        examples=["rerun", {"code": "ignore"}],
        description="What becomes of an output that was made from something else than what it would"
        " be made from now: a word for all causes, or a table of the causes arguments, inputs,"
        " files, code, packages and edited.",
    )
    records: bool = Field(
        True, description="Record what each output was made from, in .prefectx/ of the root."
    )
    lazy: bool = Field(
        False,
        description="Run a call whose output is missing only when something that runs needs it.",
    )
    temporary: bool = Field(
        False,
        description="Delete the output when the flow run in which it was made ends without a failed"
        " call; the task is lazy.",
    )
    keep: int = Field(
        0,
        examples=[3],
        ge=0,
        le=7,
        description="How many earlier versions of an output are kept, to be put back instead of"
        " made once more; of local files.",
    )
    files: Names = Field(
        (),
        examples=[["params.yml", "{path}"]],
        description="Files that the function reads though no argument of type Path names them,"
        " as templates.",
    )
    hash_limit: Size = Field(
        10**9,
        examples=["1GB"],
        description="Size above which a file is unchanged if its size and time are.",
    )
    code: Names = Field(
        (),
        examples=[["mypkg"]],
        description="Installed packages whose code counts as the project's.",
    )
    shared: bool = Field(
        False,
        description="Allow different calls to share a target; the output of the first one counts.",
    )
    ignore: Names = Field(
        (),
        examples=[["log"]],
        description="Arguments that do not tell calls apart: they count neither in an automatic "
        "{base} nor when two calls share a target.",
    )
    fsync: bool = Field(
        True, description="Flush each output to disk, so that it survives a power cut."
    )
    lock: bool = Field(
        False,
        description="Run a call in only one process at a time, on all hosts.",
    )
    on_corrupt: Literal["error", "rerun"] = Field(
        "error",
        description='"rerun": read each existing output, and run the call again if reading fails.',
    )
    allow_pickle: bool = Field(
        True,
        description="Allow saving and loading pickles; loading a pickle can run any code in it.",
    )
    task_run_name: RunName = Field(
        "{funcname}-{base}", description="Template of a task run's name; false: Prefect's own name."
    )
    context: dict[str, object] = Field(
        default_factory=dict,
        examples=[{"year": 2024}],
        description="Values for the fields of templates.",
    )


class TaskSection(_Keys):
    """Settings of one task, in [tasks.NAME], its decorator or variables."""

    keepalive: TaskKeepalive = Field(TaskKeepalive(), description=TaskKeepalive.__doc__)
    dask: TaskDask = Field(TaskDask(), description=TaskDask.__doc__)


class ProjectSection(_Keys):
    """Settings of the project, for all tasks."""

    api_url: Url = Field(
        "http://127.0.0.1:4200/api",
        description="URL of Prefect's API, if Prefect is not configured with one; false: not set.",
    )
    timezone: TimeZone = Field(
        None,
        examples=["Europe/Berlin"],
        description="Zone of {now} and {today} in targets; if not set, that of the machine.",
    )
    progress: Progress = Field(
        "auto",
        description='Progress of a flow: true: live lines; "auto": live lines on a terminal, '
        "otherwise plain lines at intervals; false: none.",
    )
    report: OptionalPlace = Field(
        None,
        examples=["working/report.html"],
        description="File to write a page about the run to, at the end of each flow.",
    )
    logging: Logging = Field(Logging(), description=Logging.__doc__)
    keepalive: Keepalive = Field(Keepalive(), description=Keepalive.__doc__)
    runner: Runner = Field(Runner(), description=Runner.__doc__)
    dask: Dask = Field(Dask(), description=Dask.__doc__)


class StoreSection(Section):
    """A store: its class and the keyword arguments of the class."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, object]

    cls: ClassName = Field(
        None,
        alias="class",
        description="The store's class; not needed for the built-in stores file and sql.",
    )


class Profile(ProjectSection):
    """Settings under this profile, chosen by PREFECTX_PROFILE or `profile`."""

    stores: dict[str, StoreSection] = Field(
        default_factory=dict, description="Stores and their arguments, by name."
    )
    tasks: dict[str, TaskSection] = Field(
        default_factory=dict,
        description='Settings for single tasks, by name or pattern ("load_*").',
    )


class Configuration(Profile):
    """The whole configuration file of prefectx."""

    extends: Names = Field(
        (),
        examples=[["base.toml"]],
        description="Files below this one, key by key; relative to this file.",
    )
    profile: Names = Field(
        (),
        examples=["ci"],
        description="Profiles to use if PREFECTX_PROFILE is not set; of two the later wins.",
    )
    profiles: dict[str, Profile] = Field(
        default_factory=dict, description="Settings under each profile, by its name."
    )


class ResolvedOptions(ProjectSection, BaseSettings):
    """All keys with their values for one task, merged from the layers."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


TASK_KEYS = frozenset(TaskSection.model_fields)
"""The keys that can be set for one task, also by its decorator."""
