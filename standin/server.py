"""The HTTP server: sockets, threads, and the ways in which a connection can go wrong."""

from __future__ import annotations

import select
import socket
import sys
import threading
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standin import control, responses
from standin.faults import Fault
from standin.faults import response as response_of
from standin.http_types import Request, Response
from standin.state import Office

MARK = ("X-Stand-In", "macrocrm")
LARGEST_BODY = 1024 * 1024
POLL_MILLISECONDS = 50  # how soon a hanging call notices that its client has gone


class Server(ThreadingHTTPServer):
    """A thread for each connection; `stop` ends them all, the hanging ones too."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, address: tuple[str, int], office: Office) -> None:
        self.office = office
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without the lookup of the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

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
        """A client that hangs up is everyday; anything else is a bug of ours and is printed."""
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
        body = self._read_body()
        if body is None:
            return
        request = Request(
            verb=self.command,
            target=self.path,
            content_type=self.headers.get_content_type() if self.headers["Content-Type"] else "",
            body=body,
        )
        if request.path.startswith(control.PREFIX):
            self._send(control.answer(self.server.office, request))
        else:
            self._serve(request)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(Response(status=413))
            return None
        return self.rfile.read(int(length))

    def _serve(self, request: Request) -> None:
        office = self.server.office
        method = office.method_of(request)
        if method is None:
            self._send(responses.not_found())
            return
        # Drawn before the request is counted: who waits for it may lift the faults at once.
        cleared = office.faults.cleared
        fault = office.faults.draw(method)
        office.receive(method, request)
        if self.server.stopping.wait(office.switches.latency.get(method, 0)):
            self.close_connection = True
            return
        if fault and fault.is_before_serving:
            self._fail(fault, response_of(fault), cleared=cleared)
            return
        answer = office.serve(method, request, fault)
        if fault:
            self._fail(fault, answer, cleared=cleared)
        else:
            self._send(answer)

    def _fail(self, fault: Fault, answer: Response, *, cleared: int) -> None:
        """Go wrong in the fault's way; `answer` is what would have been said."""
        if fault.kind in {"hang", "hang_after_write"}:
            self._hang(cleared)
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

    def _hang(self, cleared: int) -> None:
        """Say nothing until the client goes, the server stops or the faults are lifted."""
        self.close_connection = True
        faults, stopping = self.server.office.faults, self.server.stopping
        poll = select.poll()  # `select` would end at a thousand connections
        poll.register(self.connection, select.POLLIN)
        while not stopping.is_set() and faults.cleared == cleared:
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
            "Date": format_datetime(self.server.office.clock, usegmt=True),
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
        """Nothing: the query of a GET holds a token. The request log has it redacted."""


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
