"""Imports modules and objects by name; if one is missing, the error says what to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from prefectx.errors import ConfigError, MissingDependencyError

BUILTIN_STORES = {"file": "prefectx.stores.files:Filestore", "sql": "prefectx.stores.sql:SqlStore"}
"""The stores that exist without a [stores.NAME] table: name -> class."""

# Top-level module -> the extra of prefectx that installs it.
_EXTRAS = {
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "psycopg": "postgres",
    "pyarrow": "pandas",
    "s3fs": "s3",
    "sqlalchemy": "sql",
    "zstandard": "zstd",
}
# Top-level module -> its package. Of other modules none is named: a package of that name may be a
# stranger's, and the module one of the user's own that is not found.
_PACKAGES = {
    "MySQLdb": "mysqlclient",
    "PIL": "pillow",
    "adlfs": "adlfs",
    "coiled": "coiled",
    "dask_cloudprovider": "dask-cloudprovider",
    "dask_gateway": "dask-gateway",
    "dask_jobqueue": "dask-jobqueue",
    "dask_kubernetes": "dask-kubernetes",
    "dask_yarn": "dask-yarn",
    "duckdb_engine": "duckdb-engine",
    "gcsfs": "gcsfs",
    "oracledb": "oracledb",
    "psycopg2": "psycopg2-binary",
    "pymysql": "pymysql",
    "pyodbc": "pyodbc",
    "snowflake": "snowflake-sqlalchemy",
}


def load_object(path: str) -> object:
    """Import the object that `path` names.

    Parameters:
        path: `package.module:Name` or `package.module.Name`.

    Returns:
        The object.

    Raises:
        ConfigError: `path` has another form, or there is no such object.
        MissingDependencyError: a module is not installed.
    """
    module_name, separator, qualname = path.partition(":")
    if not separator:
        module_name, separator, qualname = path.rpartition(".")
    if not (module_name and qualname):
        raise ConfigError(f"{path!r} names no object: write it as 'package.module:Name'")
    found: object = require(module_name, f"for {path!r}")
    try:
        for name in qualname.split("."):
            found = getattr(found, name)
    except AttributeError as error:
        raise ConfigError(f"{path!r} cannot be loaded: {error}") from error
    return found


def require(module: str, purpose: str) -> ModuleType:
    """Import a module that may not be installed.

    Parameters:
        module: its full name.
        purpose: the end of the sentence that says why ("to read .csv files").

    Returns:
        The module.

    Raises:
        MissingDependencyError: the module, or one that it needs, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise MissingDependencyError(
            f"the module {missing!r}, needed {purpose}, cannot be found: {install_hint(missing)}",
            name=missing,
        ) from error


def install_hint(module: str) -> str:
    """Return how to install a missing module, for the end of an error message."""
    top = module.partition(".")[0]
    if top in _EXTRAS:
        return f'pip install "prefectx[{_EXTRAS[top]}]"'
    if top in _PACKAGES:
        return f"pip install {_PACKAGES[top]}"
    return "correct its name; a module of your own must be beside the program, or be installed"
