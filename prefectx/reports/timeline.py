"""When the calls ran, in which process: packed in lanes, in sessions with pauses between them."""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

PAUSE = 600.0
"""Seconds without a call after which a process that goes on begins a new session."""

# The times of records are rounded to milliseconds.
_TOLERANCE = 0.002
_SESSIONS = 10
_LANES = 200
_BARS, _OLDER_BARS = 6000, 600
# So many bars side by side can be told apart, zoomed in.
_FINENESS = 4000
# So few are not enough to see which task is which.
_COARSE = 500


class Calls:
    """The calls of a project in columns, as there may be many.

    Attributes:
        began: when each began, in seconds since 1970.
        seconds: how long it took.
        task: the number of its task.
        process: the number of its process.
        failed: 1 if it failed.
    """

    def __init__(self) -> None:
        self.began = array("d")
        self.seconds = array("d")
        self.task = array("L")
        self.process = array("L")
        self.failed = array("b")

    def __len__(self) -> int:
        return len(self.began)

    def add(
        self, began: float, seconds: float, task: int, process: int, *, failed: bool = False
    ) -> None:
        """Add a call."""
        self.began.append(began)
        self.seconds.append(seconds)
        self.task.append(task)
        self.process.append(process)
        self.failed.append(failed)

    def ended(self, call: int) -> float:
        """Return when a call was over."""
        return self.began[call] + self.seconds[call]


class Bar(NamedTuple):
    """One call, or calls one after the other that are too short to be told apart.

    Attributes:
        lane: the number of the lane among those of the session.
        began: when the first began.
        ended: when the last was over.
        task: the number of their task, None if they are of several.
        call: the first of them.
        calls: how many there are.
        seconds: how long they took together.
    """

    lane: int
    began: float
    ended: float
    task: int | None
    call: int
    calls: int
    seconds: float


class Process(NamedTuple):
    """A process in a session.

    Attributes:
        number: its number in `Calls`.
        lanes: how many calls it ran at the same time.
        calls: how many in all.
        seconds: how long they took together.
    """

    number: int
    lanes: int
    calls: int
    seconds: float


class Session(NamedTuple):
    """Work without a pause, of one process or of several at the same time.

    Attributes:
        began: when the first call began.
        ended: when the last was over.
        calls: how many there were.
        failed: how many of them failed.
        processes: the processes.
        bars: what is drawn.
        left_out: how many calls are not drawn, as they are in too many lanes.
    """

    began: float
    ended: float
    calls: int
    failed: int
    processes: Sequence[Process]
    bars: Sequence[Bar]
    left_out: int


def sessions(calls: Calls, order: Callable[[int], tuple[str, ...]] | None = None) -> list[Session]:
    """Return the latest sessions, the latest first.

    Parameters:
        calls: the calls.
        order: what the processes of a session are sorted by; by default when they began.
    """
    found = sorted(_grouped(calls), key=lambda group: max(map(calls.ended, group)), reverse=True)
    limits = [_BARS, *[_OLDER_BARS] * (_SESSIONS - 1)]
    return [
        _session(calls, group, limit, order) for group, limit in zip(found, limits, strict=False)
    ]


def _grouped(calls: Calls) -> Iterator[list[int]]:
    """Yield the calls of each session by their beginnings.

    A process without a long pause is a segment; segments that overlap are a session.
    """
    segment_of: dict[int, list[int]] = {}  # the open one of each process
    until: dict[int, float] = {}
    segments: list[list[int]] = []
    for call in sorted(range(len(calls)), key=calls.began.__getitem__):
        process = calls.process[call]
        if process not in segment_of or calls.began[call] - until[process] > PAUSE:
            segment_of[process] = []
            segments.append(segment_of[process])
            until[process] = calls.ended(call)
        segment_of[process].append(call)
        until[process] = max(until[process], calls.ended(call))
    together: list[int] = []
    end = 0.0
    for segment in segments:  # by their beginnings, as their first calls are
        if together and calls.began[segment[0]] > end:
            yield together
            together = []
        end = max(end if together else 0.0, *map(calls.ended, segment))
        together += segment
    if together:
        yield together


def _session(
    calls: Calls, group: list[int], limit: int, order: Callable[[int], tuple[str, ...]] | None
) -> Session:
    group.sort(key=calls.began.__getitem__)
    of_process: dict[int, list[int]] = defaultdict(list)
    for call in group:
        of_process[calls.process[call]].append(call)
    began, ended = calls.began[group[0]], max(map(calls.ended, group))
    processes: list[Process] = []
    lanes: list[list[int]] = []
    left_out = 0
    for process in of_process if order is None else sorted(of_process, key=order):
        own = of_process[process]
        packed = pack(calls, own)
        seconds = sum(calls.seconds[call] for call in own)
        room = max(_LANES - len(lanes), 0)
        left_out += sum(map(len, packed[room:]))
        lanes += packed[:room]
        processes.append(Process(process, min(len(packed), room), len(own), seconds))
    span = ended - began
    fineness = span / _FINENESS
    bars = list(_bars(calls, lanes, fineness, mixed=False))
    mixed = False
    while len(bars) > limit and not (mixed and fineness > span):
        fineness *= 2
        if not mixed and fineness > span / _COARSE:  # tasks alternate: told apart no more
            mixed, fineness = True, span / _FINENESS
        bars = list(_bars(calls, lanes, fineness, mixed=mixed))
    bars.sort(key=lambda bar: (bar.lane, bar.began))
    failed = sum(calls.failed[call] for call in group)
    return Session(began, ended, len(group), failed, processes, bars, left_out)


def pack(calls: Calls, group: Iterable[int]) -> list[list[int]]:
    """Pack calls in as few lanes as there are calls at the same time, each in the first free one.

    Parameters:
        calls: the calls.
        group: those to pack, by their beginnings.
    """
    lanes: list[list[int]] = []
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for call in group:
        while busy and busy[0][0] <= calls.began[call] + _TOLERANCE:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            lanes.append([])
            free.append(len(lanes) - 1)
        lane = heapq.heappop(free)
        lanes[lane].append(call)
        heapq.heappush(busy, (calls.ended(call), lane))
    return lanes


def _bars(calls: Calls, lanes: list[list[int]], fineness: float, *, mixed: bool) -> Iterator[Bar]:
    """Yield the bars of lanes; what is shorter than `fineness` is joined to the one before it.

    Failed calls are joined to failed ones only, and those of one task unless tasks are mixed.
    """
    for number, lane in enumerate(lanes):
        open_bars: dict[int, Bar] = {}  # of calls that failed, and of those that did not
        for call in lane:
            key, task, seconds = calls.failed[call], calls.task[call], calls.seconds[call]
            began, ended = calls.began[call], calls.ended(call)
            bar = open_bars.get(key)
            if bar is not None:
                is_short = ended - began < fineness
                was_short = bar.calls > 1 or bar.ended - bar.began < fineness
                is_near = began - bar.ended < fineness
                if is_short and was_short and is_near and (mixed or task == bar.task):
                    open_bars[key] = bar._replace(
                        ended=max(ended, bar.ended),
                        task=task if task == bar.task else None,
                        calls=bar.calls + 1,
                        seconds=bar.seconds + seconds,
                    )
                    continue
                yield bar
            open_bars[key] = Bar(number, began, ended, task, call, 1, seconds)
        yield from open_bars.values()
