"""The only code that calls MacroCRM over HTTP.

What `requests.Session` does by itself is unwanted here (redirects, cookies, .netrc, proxies of the
environment), so requests go straight to an adapter.
"""

from __future__ import annotations

import http.client
import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from datetime import time as wall_time
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
import urllib3
from requests.adapters import HTTPAdapter

from booking.crm.add_reply import add_reply
from booking.crm.deadline import POOLS, Call
from booking.crm.envelope import HTTPReply, RequestSummary
from booking.crm.errors import CRMError, CRMUnavailable, CRMWrongAddress
from booking.crm.houses import ready_flats
from booking.crm.masking import masker
from booking.crm.signing import signed, suspects
from booking.crm.times import free_times
from booking.crm.transport_errors import (
    BrokenCompression,
    ReplyTooLong,
    TransportError,
    transport_error,
)
from booking.crm.types import (
    AddReply,
    AddRequest,
    CallReport,
    CRMConfig,
    FreeTimes,
    ReadyFlats,
)

# Most bytes of a decoded reply. Only the list of a large developer is long.
LIMITS = {"getReadyFlats": 8 * 1024 * 1024, "getFreeTimes": 256 * 1024, "add": 256 * 1024}
CHUNK = 64 * 1024
# Seconds before the second try, unless the CRM asks for another pause; above the longest, give up.
PAUSE = 0.2
LONGEST_PAUSE = 2.0

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "key-handover",
}

# What requests, urllib3 and http.client raise when a server or the network misbehaves. A chunk with
# a negative length, for example, raises a bare ValueError.
LIBRARY_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)

T = TypeVar("T")


class CRMClient:
    """Client of one MacroCRM installation. Thread-safe.

    `on_call` gets a report of each call when it is over, in the thread that made it.
    """

    def __init__(
        self, config: CRMConfig, on_call: Callable[[CallReport], None] | None = None
    ) -> None:
        self._config = config
        self._on_call = on_call
        self._host = urlsplit(config.base_url).hostname or config.base_url
        # The only sign that an installation reads by GET is that it refuses POST.
        self._reads_by_get = config.method == "GET"
        self._threads = threading.local()

    @property
    def reads_by(self) -> str:
        """The configured method, or GET once the CRM has refused POST and accepted GET."""
        return "GET" if self._reads_by_get else "POST"

    def ready_flats(self, category: str) -> ReadyFlats:
        """List what is ready for handover in a category, or in all of them for "".

        Raises CRMError.
        """
        return self._read("getReadyFlats", {"category": category}, ready_flats)

    def free_times(self, house_id: str, day: date, zone: ZoneInfo) -> FreeTimes:
        """List the free starts of a day, in wall time of the house in `zone`.

        Raises CRMError.
        """
        midnight = datetime.combine(day, wall_time(), zone)
        params = {"transfer_date": _moment(midnight), "house_id": house_id}
        return self._read("getFreeTimes", params, lambda reply: free_times(reply, midnight))

    def add(self, request: AddRequest) -> AddReply:
        """Book a visit. Never raises for what the CRM or the network does.

        Retries only while not one byte of the first request has been sent.
        """
        call = self._new_call()
        try:
            reply = self._added(request, call)
        except TransportError as failure:
            reply = failure.as_add_reply()
        self._tell("add", call, reply.outcome, reply.reason)
        return replace(reply, seconds=call.seconds)

    def _added(self, request: AddRequest, call: Call) -> AddReply:
        params = {
            "transfer_date": _moment(request.starts_at),
            "house_id": request.house_id,
            "flat_num": request.flat,
            "category": request.category,
            "phone": request.phone,
        }
        try:
            return self._add_once(params, call)
        except TransportError as failure:
            if failure.is_sent or not failure.is_transient or not call.has(PAUSE):
                raise
        time.sleep(PAUSE)
        return self._add_once(params, call)

    def _add_once(self, params: dict[str, str], call: Call) -> AddReply:
        # A new connection: a kept-alive one that the CRM has just closed would leave a doubt.
        with closing(_Adapter()) as adapter:
            return add_reply(self._ask(adapter, "POST", "add", params, call))

    def _read(self, method: str, params: dict[str, str], read: Callable[[HTTPReply], T]) -> T:
        call = self._new_call()
        try:
            payload = self._read_patiently(method, params, read, call)
        except CRMError as error:
            self._tell(method, call, "failed", error.kind)
            raise
        self._tell(method, call, "answered")
        return payload

    def _read_patiently(
        self, method: str, params: dict[str, str], read: Callable[[HTTPReply], T], call: Call
    ) -> T:
        """Read, and retry once where that can help, newly signed and within the same deadline."""
        by_get = self._reads_by_get
        try:
            return self._read_once(method, params, read, call, by_get)
        except CRMWrongAddress:
            if by_get or not call.has(0):
                raise
            by_get = True
        except CRMUnavailable as error:
            pause = PAUSE if error.retry_after is None else error.retry_after
            if not error.transient or pause > LONGEST_PAUSE or not call.has(pause):
                raise
            time.sleep(pause)
        payload = self._read_once(method, params, read, call, by_get)
        if by_get:
            self._reads_by_get = True
        return payload

    def _read_once(
        self,
        method: str,
        params: dict[str, str],
        read: Callable[[HTTPReply], T],
        call: Call,
        by_get: bool,
    ) -> T:
        verb = "GET" if by_get else "POST"
        try:
            reply = self._ask(self._adapter(), verb, method, params, call)
        except TransportError as failure:
            raise failure.as_read_error() from failure
        return read(reply)

    def _ask(
        self,
        adapter: HTTPAdapter,
        verb: str,
        method: str,
        params: dict[str, str],
        call: Call,
    ) -> HTTPReply:
        """Send one request and return its complete reply. Raises TransportError."""
        request = self._request(verb, method, params)
        what = f"{verb} {self._host} {method}"
        failure = None
        call.tries += 1
        try:
            with call.running(), closing(adapter.send(request, stream=True)) as response:
                body = _body(response, LIMITS[method])
        except LIBRARY_ERRORS as exc:
            failure = transport_error(exc, what, call)
        if failure:
            # Outside the handler: an exception of requests carries the signed request and would
            # become the context of this one.
            raise failure
        call.http_status = response.status_code
        reply = HTTPReply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            received_at=time.time(),
            request=RequestSummary(
                what=what,
                mask=masker(secret=self._config.secret, phone=params.get("phone", "")),
                suspects=suspects(self._config.domain),
            ),
        )
        call.retry_after = reply.retry_after
        return reply

    def _request(self, verb: str, method: str, params: dict[str, str]) -> requests.PreparedRequest:
        config = self._config
        fields = signed(domain=config.domain, secret=config.secret, at=int(time.time()))
        fields |= {name: value for name, value in params.items() if value}
        place = "params" if verb == "GET" else "data"
        address = f"{config.base_url.rstrip('/')}/estate/transfer/{method}/"
        return requests.Request(verb, address, headers=HEADERS, **{place: fields}).prepare()

    def _adapter(self) -> HTTPAdapter:
        """Return this thread's adapter, which keeps its connection alive."""
        if not hasattr(self._threads, "adapter"):
            self._threads.adapter = _Adapter()
        adapter: HTTPAdapter = self._threads.adapter
        return adapter

    def _tell(self, method: str, call: Call, outcome: str, reason: str = "") -> None:
        if self._on_call:
            self._on_call(
                CallReport(
                    method=method,
                    outcome=outcome,
                    reason=reason,
                    http_status=call.http_status,
                    tries=call.tries,
                    seconds=call.seconds,
                    retry_after=call.retry_after,
                )
            )

    def _new_call(self) -> Call:
        return Call(connect=self._config.connect_timeout, total=self._config.read_timeout)


class _Adapter(HTTPAdapter):
    """An adapter with one connection, which keeps the deadline of its call."""

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS


class _NoQuery(logging.Filter):
    """Drop query strings, which hold the token, from what urllib3 logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = re.sub(r"\?\S*", "?…", record.getMessage()), ()
        return True


for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_NoQuery())


def trusted_roots() -> str:
    """Path of the root certificates that verify the CRM's certificate."""
    return requests.adapters.DEFAULT_CA_BUNDLE_PATH


def _body(response: requests.Response, limit: int) -> bytes:
    """Read the decoded body. Raises ReplyTooLong at the limit, whatever Content-Length said."""
    body = bytearray()
    try:
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > limit:
                raise ReplyTooLong
    except requests.exceptions.ContentDecodingError as exc:
        raise BrokenCompression from exc
    return bytes(body)


def _moment(moment: datetime) -> str:
    """Format a moment as the CRM does: 2020-06-11T09:30:00+05:00, padded, never with a Z."""
    return moment.isoformat(timespec="seconds")
