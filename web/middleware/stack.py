"""All of it around the app, in its order."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp

from web.auth.identity import Doorkeeper
from web.context import Doors
from web.middleware.bodies import BodyLimit
from web.middleware.headers import SecurityHeaders
from web.middleware.heads import Heads
from web.middleware.hosts import OwnHosts, host_of
from web.middleware.proxies import TrustedProxies
from web.middleware.rates import RateLimits
from web.middleware.request_log import RequestLog
from web.middleware.same_site import SameSite
from web.operations.metrics import Metrics


def around(app: ASGIApp, here: Doors, metrics: Metrics, keeper: Doorkeeper) -> ASGIApp:
    """Put the app behind all of it; the last named is met first."""
    app = Heads(app)
    app = SameSite(app, urlsplit(here.settings.base_url).netloc)
    app = RateLimits(app, here, keeper)
    app = BodyLimit(app, here.settings.body_limit)
    if here.settings.public_url:
        app = OwnHosts(app, frozenset({host_of(here.settings.base_url), here.settings.http_host}))
    app = SecurityHeaders(app, over_tls=here.settings.base_url.startswith("https://"))
    return TrustedProxies(RequestLog(app, metrics), here.settings.proxies)
