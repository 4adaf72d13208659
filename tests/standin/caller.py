"""A caller of the stand-in that knows the signature and nothing of our client."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

import requests

from standin import ACCEPTED_PHONE, StandIn

HOUSE = "3105011"
FLAT = "1.8-12-1"


def sign(domain: str, moment: str, secret: str) -> str:
    return md5((domain + moment + secret).encode()).hexdigest()


@dataclass
class Caller:
    crm: StandIn
    session: requests.Session = field(default_factory=requests.Session)

    def signed(self, **params: str) -> dict[str, str]:
        """The parameters with a good signature, unless they bring their own."""
        moment = params.get("time", str(int(time.time())))
        domain = params.get("domain", self.crm.domain)
        token = sign(domain, moment, self.crm.secret)
        return {"time": moment, "domain": domain, "token": token, **params}

    def post(self, method: str, **params: str) -> requests.Response:
        return self._request("POST", method, data=self.signed(**params))

    def get(self, method: str, **params: str) -> requests.Response:
        return self._request("GET", method, params=self.signed(**params))

    def answer(self, method: str, **params: str) -> dict[str, Any]:
        """The envelope that a POST brings back."""
        envelope: dict[str, Any] = self.post(method, **params).json()
        return envelope

    def free_times(self, day: str, house_id: str = HOUSE) -> Any:
        return self.answer("getFreeTimes", house_id=house_id, transfer_date=midnight(day))["data"]

    def book(self, start: str, **params: str) -> dict[str, Any]:
        """`add` for the usual flat, house, category and phone; each can be given another."""
        return self.answer("add", **visit(start, **params))

    def _request(self, verb: str, method: str, **kwargs: Any) -> requests.Response:
        url = f"{self.crm.url}/estate/transfer/{method}/"
        return self.session.request(verb, url, timeout=5, allow_redirects=False, **kwargs)


def visit(start: str, **params: str) -> dict[str, str]:
    usual = {"house_id": HOUSE, "flat_num": FLAT, "category": "flat", "phone": ACCEPTED_PHONE}
    return usual | {"transfer_date": start} | params


def midnight(day: str) -> str:
    return f"{day}T00:00:00+05:00"


def next_start(crm: StandIn, house_id: str = HOUSE) -> str:
    """A free slot as the CRM wants it."""
    return crm.free_starts(house_id)[0].isoformat()
