"""Sort and join tables that are larger than all workers together: a grace hash join on Dask.

python examples/dask_local.py               # two workers of 1 GB
python examples/dask_local.py 20 8          # 20 tables of orders, joined in 8 buckets
PREFECTX=cache python examples/dask_local.py   # the same outputs, one call after the other

Each task says how much memory it needs, and a worker runs only as many calls as fit. Calls hand on
the names of files, never tables. A second run finds all outputs and ends at once.
"""

import sys

import pandas as pd

import prefectx
from prefectx import flow, load, task

ROWS = 300_000
CUSTOMERS = 50_000


@task(target="working/orders-{part:03d}.parquet", dask={"memory": "300MB"})
def orders(part: int) -> pd.DataFrame:
    """Make a table of orders, as if it came from a day's export."""
    numbers = pd.Series(range(part * ROWS, (part + 1) * ROWS))
    return pd.DataFrame(
        {
            "order": numbers,
            "customer": numbers * 7919 % CUSTOMERS,
            "cents": numbers * 104_729 % 100_000,
            "note": "order " + numbers.astype(str) + " of the day, with a remark of some length",
        }
    )


@task(target="working/customers.parquet")
def customers() -> pd.DataFrame:
    """Make the table of customers."""
    numbers = pd.Series(range(CUSTOMERS))
    return pd.DataFrame({"customer": numbers, "name": "customer " + numbers.astype(str)})


@task(target="working/shard-{table.stem}-{bucket}-of-{buckets}.parquet", dask={"memory": "400MB"})
def shard(table: pd.DataFrame, bucket: int, buckets: int) -> pd.DataFrame:
    """Pick the rows whose customers belong into a bucket, and sort them."""
    mine = table[table["customer"] % buckets == bucket]
    return mine.sort_values(["customer", "order"], ignore_index=True)


@task(target="working/joined-{bucket}-of-{buckets}.parquet", dask={"memory": "900MB"})
def join(shards: list[pd.DataFrame], people: pd.DataFrame, bucket: int, buckets: int):
    """Join one bucket: all orders of some of the customers."""
    merged = pd.concat(shards, ignore_index=True).merge(people, on="customer")
    return merged.sort_values(["customer", "order"], ignore_index=True)


@task(target="working/spent-{bucket}-of-{buckets}.parquet", dask={"memory": "600MB"})
def spent(joined: pd.DataFrame, bucket: int, buckets: int) -> pd.DataFrame:
    """Add up what each customer has spent."""
    return joined.groupby("name", as_index=False)["cents"].sum()


@task(target="working/best-of-{count}.csv")
def best(tables: list[pd.DataFrame], count: int) -> pd.DataFrame:
    """Return the ten customers who have spent most."""
    every = pd.concat(tables, ignore_index=True)
    return every.sort_values(["cents", "name"], ascending=[False, True]).head(10)


@flow
def pipeline(parts: int, buckets: int) -> pd.DataFrame:
    """Join all orders with the customers, bucket by bucket."""
    tables = [orders.submit(part) for part in range(parts)]
    people = customers.submit()
    sums = []
    for bucket in range(buckets):
        shards = [shard.submit(table, bucket, buckets) for table in tables]
        joined = join.submit(shards, people, bucket, buckets)
        sums.append(spent.submit(joined, bucket, buckets))
    return load(best.submit(sums, parts))


def main() -> None:
    """Run the flow on a cluster of this machine."""
    parts, buckets = (int(argument) for argument in sys.argv[1:3] or (4, 2))
    dask = {"workers": 2, "memory_limit": "1GB"}
    # In a project these are three lines of prefectx.toml.
    with prefectx.override(runner={"type": "dask"}, dask=dask):
        print(pipeline(parts, buckets).to_string(index=False))


if __name__ == "__main__":
    main()
