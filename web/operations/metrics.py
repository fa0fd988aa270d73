"""What Prometheus may scrape: the doors' traffic as it happens, the desk's numbers when asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from domain.findings import FindingKind
from domain.reports.figures import FIGURES
from domain.reports.watched import GOAL, Number, about, metric, read_by
from domain.staff.access import Caller
from starter.condition import Gauges
from starter.reports import Watched

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """One per app. Labels hold routes, never paths: a path may be a link (R30)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "yinuo_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "yinuo_http_request_seconds",
            "Time to the answer",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._reachable = self._gauge("yinuo_register_reachable", "1 if PostgreSQL answered")
        self._issues = self._gauge(
            "yinuo_open_issues", "Open issues; state as the search attribute SlaState", "stage"
        )
        self._promises = self._gauge("yinuo_running_promises", "Running promises", "kind")
        self._undelivered = self._gauge(
            "yinuo_undelivered_messages", "Messages that did not reach their recipient"
        )
        self._unsettled = self._gauge("yinuo_unsettled_messages", "Messages due and not yet said")
        self._oldest = self._gauge(
            "yinuo_oldest_unsettled_message_seconds", "Age of the oldest of them"
        )
        self._webhooks = self._gauge(
            "yinuo_webhook_waiting_events",
            "Events that a receiver has not accepted yet; state: on, off, failed",
            "endpoint",
        )
        self._findings = Gauge(
            "yinuo_audit_findings",
            "What the last deep audit found wrong",
            ["kind"],
            registry=self._registry,
        )
        self._notices = Gauge(
            "yinuo_national_notice_year",
            "Last year whose national notice of working days is loaded",
            ["country"],
            registry=self._registry,
        )
        self._audit_age = self._gauge("yinuo_audit_age_seconds", "Since the last deep audit")

    def _gauge(self, name: str, about: str, what: str | None = None) -> Gauge:
        return Gauge(name, about, [what, "state"] if what else [], registry=self._registry)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def exposition(self, now: Gauges | None) -> bytes:
        """Write everything down; None when PostgreSQL is away: then only the traffic is known."""
        self._reachable.set(now is not None)
        for gauge, counts in (
            (self._issues, now.issues if now else ()),
            (self._promises, now.promises if now else ()),
            (self._webhooks, now.webhooks if now else ()),
        ):
            gauge.clear()
            for each in counts:
                gauge.labels(each.what, each.state).set(each.count)
        unknown = float("nan")
        self._undelivered.set(now.undelivered if now else unknown)
        self._unsettled.set(now.unsettled if now else unknown)
        self._oldest.set(now.oldest_unsettled if now else unknown)
        self._audit_age.set(now.audit_age if now and now.audit_age is not None else unknown)
        self._notices.clear()
        for each in now.notices if now else ():
            self._notices.labels(each.what).set(each.count)
        self._findings.clear()
        if now and now.audit_age is not None:
            found = {each.what: each.count for each in now.findings}
            for kind in FindingKind:
                self._findings.labels(kind).set(found.get(kind, 0))
        return generate_latest(self._registry)


class OfReports(Collector):
    """What a caller reads of the reports' figures, each a metric of its own; none without data."""

    def __init__(self, caller: Caller, known: Watched | None, age: float, failures: int) -> None:
        self._caller = caller
        self._known = known
        self._age = age
        self._failures = failures

    def exposition(self) -> bytes:
        """Write it down."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """Make the metrics."""
        yield CounterMetricFamily(
            "yinuo_report_failures",
            "Times that the reports' figures could not be counted",
            self._failures,
        )
        if self._known is None:
            return
        yield GaugeMetricFamily(
            "yinuo_report_age_seconds", "Since the reports' figures were counted", self._age
        )
        goals = GaugeMetricFamily(GOAL, "What the policy asks of a figure", labels=["figure"])
        for figure, goal in self._known.goals.items():
            goals.add_metric([figure], goal)
        yield goals
        yield from _families(read_by(self._caller, self._known.numbers))


def _families(numbers: Iterable[Number]) -> Iterator[GaugeMetricFamily]:
    by_figure: defaultdict[str, list[Number]] = defaultdict(list)
    for each in numbers:
        by_figure[each.figure].append(each)
    for key, found in by_figure.items():
        figure = FIGURES[key]
        family = GaugeMetricFamily(metric(figure), about(figure), labels=["period", "department"])
        for each in found:
            family.add_metric([each.window, each.department], each.value)
        yield family
