"""The names of Prefect's own contenders; apart, as what runs them imports Prefect."""

STOCK = "Prefect, a run"
CACHED = "Prefect, cached, submitted"
