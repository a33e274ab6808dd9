"""A mail server on loopback that keeps what it gets, and refuses what a test wants refused."""

from __future__ import annotations

import base64
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

PASSWORD = "swordfish-42"


class MailServer(socketserver.ThreadingTCPServer):
    """`mails` are (sender, recipients, message). `answers` holds answers for the next MAIL commands
    in place of `250`; empty means that the connection is closed."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.answers: list[str] = []
        self.sessions = 0
        self.wants_login = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.sessions += 1
        self._say("220 test")
        sender, recipients, logged_in = "", list[str](), not self.server.wants_login
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            command = line.split(":")[0].split(" ")[0].upper()
            if command == "EHLO":
                self._say("250-test", "250 AUTH PLAIN")
            elif command == "AUTH":
                given = base64.b64decode(line.split()[2]).decode().split("\0")[2]
                logged_in = given == PASSWORD
                self._say("235 in" if logged_in else "535 wrong password")
            elif command == "MAIL":
                answer = self.server.answers.pop(0) if self.server.answers else "250 ok"
                if not answer:
                    return
                sender = line.partition("<")[2].partition(">")[0]
                self._say(answer if logged_in else "530 log in")
            elif command == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                refused = address.startswith("no-")
                if not refused:
                    recipients.append(address)
                self._say("550 no such user" if refused else "250 ok")
            elif command == "DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                message = email.message_from_bytes(text, policy=email.policy.default)
                assert isinstance(message, EmailMessage)
                self.server.mails.append((sender, recipients, message))
                recipients = []
                self._say("250 ok")
            elif command == "RSET":
                recipients = []
                self._say("250 ok")
            else:
                self._say("221 bye")
                return

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
