"""When calls ran: in lanes, in sessions, as bars; against plain definitions of these."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from prefectx.reports.timeline import PAUSE, Calls, pack, sessions

# Apart from each other by more than the rounding of records, or at the same time.
TIMES = st.integers(0, 3000).map(float)
LENGTHS = st.sampled_from([0.0, 1.0, 3.0, 50.0, 700.0])
CALLS = st.lists(st.tuples(TIMES, LENGTHS, st.integers(0, 2), st.integers(0, 3)), max_size=25)


def made(found) -> Calls:
    calls = Calls()
    for began, seconds, task, process in found:
        calls.add(began, seconds, task, process)
    return calls


def at_once(found) -> int:
    """How many calls run at the same time at most: some call begins then."""
    begins = [began for began, *_ in found]
    return max(
        (sum(b <= at < b + s or (s == 0 and b == at) for b, s, *_ in found) for at in begins),
        default=0,
    )


@given(CALLS)
def test_lanes_are_as_many_as_calls_at_the_same_time(found):
    calls = made(found)
    order = sorted(range(len(calls)), key=calls.began.__getitem__)
    lanes = pack(calls, order)
    assert sorted(call for lane in lanes for call in lane) == list(range(len(calls)))
    for lane in lanes:
        for one, other in pairwise(lane):
            assert calls.ended(one) <= calls.began[other] + 0.01
    assert len(lanes) <= at_once(found)


def groups_by_definition(found) -> set[frozenset[int]]:
    """Segments: calls of a process without a long pause; sessions: segments that overlap."""
    segments: list[list[int]] = []
    for process in {call[3] for call in found}:
        own = sorted((c[0], i) for i, c in enumerate(found) if c[3] == process)
        end = None
        for began, index in own:
            if end is None or began - end > PAUSE:
                segments.append([])
                end = began
            segments[-1].append(index)
            end = max(end, began + found[index][1])

    def spans(segment):
        begins = min(found[index][0] for index in segment)
        return begins, max(found[index][0] + found[index][1] for index in segment)

    groups = [set(segment) for segment in segments]
    changed = True
    while changed:
        changed = False
        for one, other in combinations(groups, 2):
            (a, b), (c, d) = spans(one), spans(other)
            if a <= d and c <= b:
                one |= other
                groups.remove(other)
                changed = True
                break
    return {frozenset(group) for group in groups}


@given(CALLS)
def test_sessions_are_as_defined(found):
    calls = made(found)
    wanted = groups_by_definition(found)
    shown = sessions(calls)
    ends = [session.ended for session in shown]
    assert ends == sorted(ends, reverse=True)
    assert len(shown) == min(len(wanted), 10)
    for session in shown:
        group = next(
            g for g in wanted if min(found[i][0] for i in g) == session.began
            and max(found[i][0] + found[i][1] for i in g) == session.ended
        )  # fmt: skip
        assert session.calls == len(group)
        assert sum(process.calls for process in session.processes) == len(group)
        assert {process.number for process in session.processes} == {found[i][3] for i in group}
        assert sum(bar.calls for bar in session.bars) == len(group)
        total = sum(found[i][1] for i in group)
        assert abs(sum(bar.seconds for bar in session.bars) - total) < 1e-6
        for bar in session.bars:
            assert session.began <= bar.began <= bar.ended <= session.ended
            if bar.calls == 1:
                assert bar.began == found[bar.call][0]


def test_many_calls_become_few_bars():
    calls = Calls()
    for number in range(50_000):
        calls.add(1e9 + number * 0.001, 0.0008, number % 3 == 0, number % 8)
    (session,) = sessions(calls)
    assert session.calls == 50_000 == sum(bar.calls for bar in session.bars) + session.left_out
    assert len(session.bars) <= 6000


def test_a_failed_call_is_a_bar_of_its_own():
    calls = Calls()
    calls.add(10, 5, 0, 0)
    calls.add(12, 0, 0, 0, failed=True)
    (session,) = sessions(calls)
    assert session.failed == 1
    assert [calls.failed[bar.call] for bar in session.bars] == [0, 1]
