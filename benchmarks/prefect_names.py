"""The names of Prefect's contenders, in a module that does not import Prefect."""

STOCK = "Prefect, a run"
CACHED = "Prefect, cached, submitted"
