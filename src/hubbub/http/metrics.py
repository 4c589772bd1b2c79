"""`GET /metrics` for Prometheus: what the hub and the writer have counted."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hubbub.hub import Hub


class HubCollector:
    """Reads the hub's figures when it is asked, so that counting costs the hot path nothing."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        """Every figure as a Prometheus metric."""
        hub, writer = self._hub, self._hub.writer
        written, figures = writer.figures, hub.figures
        yield _gauge("hubbub_connections", "WebSocket connections open.", len(hub.clients))
        yield _gauge("hubbub_users", "Users with a connection open.", len(hub.membership.users))
        yield _gauge("hubbub_rooms", "Rooms that somebody is in.", len(hub.rooms))
        yield _gauge("hubbub_readers_behind", "Connections whose buffer is full.", len(hub.behind))
        yield _gauge("hubbub_pending_changes", "Changes waiting for the batch under way.", writer.pending)
        yield _gauge(
            "hubbub_last_commit_seconds", "How long the last batch took.", written.last_commit_seconds
        )
        yield _gauge(
            "hubbub_lag_seconds",
            "From the arrival of the last batch's first change to its delivery.",
            written.last_lag_seconds,
        )
        yield _gauge(
            "hubbub_loop_delay_seconds", "How late the event loop's timer was, last.", hub.loop_delay_seconds
        )
        yield _counter("hubbub_connects", "Connections opened.", figures.connects)
        yield _counter("hubbub_enters", "Rooms entered.", figures.entered)
        yield _counter("hubbub_events", "Frames from clients.", figures.events)
        yield _counter("hubbub_deliveries", "Entries written to readers.", figures.deliveries)
        yield _counter("hubbub_fell_behind", "Times a reader fell behind.", figures.fell_behind)
        yield _counter("hubbub_entries", "Entries written to the log.", written.entries)
        yield _counter(
            "hubbub_batches", "Batches committed; entries / batches is their size.", written.batches
        )
        yield _counter("hubbub_commit_seconds", "Time spent on committing.", written.commit_seconds)
        yield _counter("hubbub_failed_batches", "Batches that could not be written.", written.failures)
        refusals = CounterMetricFamily("hubbub_refusals", "Requests refused, by code.", labels=["code"])
        for code, count in sorted(figures.refusals.items()):
            refusals.add_metric([code], count)
        yield refusals


def metrics_routes(hub: Hub) -> list[BaseRoute]:
    """`/metrics`."""
    registry = CollectorRegistry()
    registry.register(HubCollector(hub))
    ProcessCollector(registry=registry)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
