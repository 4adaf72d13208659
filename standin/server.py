"""The HTTP server: sockets, threads, and how a connection goes wrong."""

from __future__ import annotations

import select
import socket
import sys
import threading
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standin import api, control, responses
from standin.faults import Fault
from standin.faults import response as response_of
from standin.http_types import Request, Response
from standin.state import State

HOST = "127.0.0.1"
MARK = ("X-Stand-In", "macrocrm")
POLL_MILLISECONDS = 50  # how soon a hanging call notices that its client has gone


class Server(ThreadingHTTPServer):
    """A thread for each connection; `stop` ends them all, the hanging ones too."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, port: int, state: State) -> None:
        self.state = state
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Without the lookup of the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()

    def stop(self) -> None:
        """Take no more connections, cut those there are, wait for their threads."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._connections:
                _shut(connection)
            self._changed.wait_for(lambda: not self._connections, timeout=5)

    def process_request_thread(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        with self._changed:
            self._connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._connections.discard(request)
                self._changed.notify_all()

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """Print what is not simply a client that hangs up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        request = Request(
            verb=self.command,
            target=self.path,
            content_type=self.headers.get_content_type(),
            body=self.rfile.read(int(self.headers["Content-Length"] or 0)),
        )
        if request.path.startswith(control.PREFIX):
            self._send(control.answer(self.server.state, request))
        else:
            self._serve(request)

    do_POST = do_DELETE = do_GET

    def _serve(self, request: Request) -> None:
        state = self.server.state
        method = api.method_of(request)
        if method is None:
            self._send(responses.not_found())
            return
        # Drawn before the request is logged: a test that waits for it may lift the faults at once.
        fault, lifted = state.faults.draw(method)
        api.record(state, method, request)
        if self.server.stopping.wait(state.switches.latency.get(method, 0)):
            self.close_connection = True
        elif fault is None:
            self._send(api.serve(state, method, request, with_rival=False))
        else:
            self._fail(fault, self._answer_under(fault, method, request), lifted)

    def _answer_under(self, fault: Fault, method: str, request: Request) -> Response:
        if fault.is_before_serving:
            return response_of(fault)
        with_rival = fault.kind == "slot_just_taken"
        return api.serve(self.server.state, method, request, with_rival=with_rival)

    def _fail(self, fault: Fault, answer: Response, lifted: threading.Event) -> None:
        """Go wrong in the fault's way; `answer` is what a server that is well would send."""
        if fault.kind in {"hang", "hang_after_write"}:
            self._hang(lifted)
        elif fault.kind in {"drop_before_reply", "drop_after_write"}:
            self.close_connection = True
        elif fault.kind == "cut":
            self._cut(answer)
        elif fault.kind == "drip":
            self._drip(answer, fault.pause)
        elif fault.kind in {"write_then_500", "garbage"}:
            self._send(response_of(fault))
        else:
            self._send(answer)

    def _hang(self, lifted: threading.Event) -> None:
        """Say nothing until the client goes, the server stops or the faults are lifted."""
        self.close_connection = True
        poll = select.poll()  # `select` would end at a thousand connections
        poll.register(self.connection, select.POLLIN)
        while not (lifted.is_set() or self.server.stopping.is_set()):
            if poll.poll(POLL_MILLISECONDS) and not self.connection.recv(1024):
                return

    def _cut(self, answer: Response) -> None:
        self.close_connection = True
        whole = self._bytes(answer)
        self.wfile.write(whole[: len(whole) - len(answer.body) // 2 - 1])

    def _drip(self, answer: Response, pause: float) -> None:
        self.close_connection = True
        for byte in self._bytes(answer):
            if self.server.stopping.wait(pause):
                return
            self.wfile.write(bytes([byte]))

    def _send(self, answer: Response) -> None:
        self.wfile.write(self._bytes(answer))

    def _bytes(self, answer: Response) -> bytes:
        """The whole response in one piece, so that it leaves in one packet."""
        headers = {
            "Date": format_datetime(self.server.state.clock, usegmt=True),
            MARK[0]: MARK[1],
            "Content-Length": str(len(answer.body)),
            "Connection": "close" if self.close_connection else "keep-alive",
            **answer.headers,  # last, so that a fault can lie about its length
        }
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + answer.body

    def end_headers(self) -> None:
        """Mark the answers to malformed requests too, which the standard library writes."""
        self.send_header(*MARK)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the query of a GET holds a token."""


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
