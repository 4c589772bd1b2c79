"""The histogram of the load generator, against exact percentiles."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from hubbub.bench.histogram import Histogram

DURATIONS = st.lists(st.integers(min_value=0, max_value=10_000_000), min_size=1, max_size=300)
PERCENTS = st.sampled_from([0.1, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0])


def exact(durations: list[int], percent: float) -> int:
    """The percentile by nearest rank."""
    rank = max(1, math.ceil(round(percent * 1000) * len(durations) / 100_000))
    return sorted(durations)[rank - 1]


def counted(durations: list[int]) -> Histogram:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    return histogram


@given(DURATIONS, PERCENTS)
def test_a_percentile_is_never_flattered_and_at_most_one_part_in_128_too_long(
    durations: list[int], percent: float
) -> None:
    true = exact(durations, percent)
    assert true <= counted(durations).percentile(percent) <= true + true / 128


@given(st.lists(st.integers(min_value=0, max_value=255), min_size=1), PERCENTS)
def test_short_durations_are_exact(durations: list[int], percent: float) -> None:
    assert counted(durations).percentile(percent) == exact(durations, percent)


@given(DURATIONS, DURATIONS)
def test_two_processes_counts_merge_to_what_one_would_have_counted(
    mine: list[int], others: list[int]
) -> None:
    merged = counted(mine)
    sent = counted(others)
    merged.merge(Histogram(sent.counts(), sent.largest))
    whole = counted(mine + others)
    assert (merged.counts(), merged.total, merged.largest) == (whole.counts(), whole.total, whole.largest)


@given(st.integers(min_value=0, max_value=10_000_000), st.integers(min_value=1, max_value=1000))
def test_counting_a_duration_many_times_is_counting_it_again_and_again(duration: int, times: int) -> None:
    histogram = Histogram()
    histogram.add(duration, times)
    assert histogram.counts() == counted([duration] * times).counts()


def test_the_longest_duration_is_kept_exactly() -> None:
    histogram = counted([1, 1_234_567])
    assert (histogram.largest, histogram.percentile(100)) == (1_234_567, 1_234_567)


def test_nothing_counted_has_no_percentile_but_zero() -> None:
    assert Histogram().percentile(99) == 0


def test_a_clock_that_jumps_back_counts_as_no_time_at_all() -> None:
    histogram = Histogram()
    histogram.add(-5)
    assert (histogram.percentile(50), histogram.total) == (0, 1)
