"""The mail that the app sends, taken where smtplib and aiosmtplib would hand it to a server.

fastapi-mail, emails and the like send by one of them. The app's own code runs as it does in production up to
there: it makes the message, connects, logs in and sends.
"""

from __future__ import annotations

import email
import email.policy
import importlib
import importlib.util
import smtplib
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from greenroom.boundary.patching import put
from greenroom.facts.errors import Code, GreenroomError

_OK = (250, b"OK")
_BYE = (221, b"Bye")
_READY = (220, b"Ready to start TLS")
_LOGGED_IN = (235, b"Authentication successful")
#: What a server that takes mail is asked beside it.
_POLITE = ("ehlo", "helo", "noop", "rset")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message, as the server would have got it.

    :param sender: the address that the server was told.
    :param recipients: those that it was told, blind copies among them.
    :param message: what was sent, parsed.
    """

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject; empty if it has none."""
        return str(self.message["subject"] or "")

    @property
    def to(self) -> tuple[str, ...]:
        """The addresses of the header To."""
        return tuple(address for _, address in getaddresses(self.message.get_all("to", [])))

    @property
    def text(self) -> str:
        """The plain text; empty if there is none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML; empty if there is none."""
        return self._body("html")

    @property
    def attachments(self) -> dict[str, bytes]:
        """The attached files, by name; another one of a name gets a number."""
        found: dict[str, bytes] = {}
        for part in self.message.iter_attachments():
            name, number = part.get_filename() or "attachment", 1
            while (name if number == 1 else f"{name} ({number})") in found:
                number += 1
            content = part.get_payload(decode=True)
            if content is None:  # A message in the message.
                content = b"".join(inner.as_bytes() for inner in part.iter_parts())
            found[name if number == 1 else f"{name} ({number})"] = content  # type: ignore[assignment]
        return found

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        # On its way, every line ends as the protocol has it.
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


class Mailbox(Sequence[Mail]):
    """The messages of one test, in the order in which they were sent."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []
        self._failure: BaseException | None = None
        self._undo = ExitStack()
        self._envelopes: list[_Envelopes] = []
        _take_smtplib(self)
        if importlib.util.find_spec("aiosmtplib") is not None:
            _take_aiosmtplib(self, importlib.import_module("aiosmtplib"))

    def __getitem__(self, index: Any) -> Any:
        return self._mails[index]

    def __len__(self) -> int:
        return len(self._mails)

    def __iter__(self) -> Iterator[Mail]:
        return iter(self._mails)

    def __repr__(self) -> str:
        told = ", ".join(f"{one.subject!r} to {', '.join(one.recipients)}" for one in self._mails)
        return f"<Mailbox: {told or 'empty'}>"

    @property
    def only(self) -> Mail:
        """The only message.

        :raises GreenroomError: if there isn't exactly one.
        """
        if len(self._mails) != 1:
            raise GreenroomError(
                Code.MAIL,
                f"there are {len(self._mails)} messages in the mailbox, not one: {self!r}.",
                "Look at them by mailbox[0], or by mailbox.to(address).",
            )
        return self._mails[0]

    def to(self, address: str) -> list[Mail]:
        """The messages to an address."""
        wanted = address.lower()
        return [one for one in self if wanted in map(str.lower, one.recipients)]

    def fails(self, error: BaseException | None = None) -> None:
        """From now on the server can't be reached.

        :param error: what is raised instead of a refused connection.
        """
        self._failure = error or ConnectionRefusedError("the mail server of this test is down")

    def close(self) -> None:
        """Let mail go where it would; connections of this test's lead nowhere any more."""
        self._undo.close()
        for envelopes in self._envelopes:
            envelopes.forget()

    # -- what stands in the place of a server ------------------------------------------------------

    def patch(self, kind: type, name: str, value: object) -> None:
        """Put something into a library's class for as long as this is open."""
        self._undo.callback(put(kind, name, value))

    def know(self, envelopes: _Envelopes) -> None:
        """Have a library's open connections forgotten at the end."""
        self._envelopes.append(envelopes)

    def connect(self) -> None:
        """Somebody connects. Raises what `fails` was told."""
        __tracebackhide__ = True
        if self._failure is not None:
            raise self._failure

    def take(self, sender: str, recipients: str | Sequence[str], content: str | bytes) -> None:
        """A server is handed a message."""
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        named = (recipients,) if isinstance(recipients, str) else tuple(recipients)
        self._mails.append(Mail(_bare(sender), tuple(map(_bare, named)), message))


def _bare(address: str) -> str:
    found = getaddresses([address])
    return found[0][1] if found and found[0][1] else address


class _Envelopes:
    """What each connection has told of the next message; only those that are connected have one."""

    def __init__(self, box: Mailbox, gone: Callable[[], BaseException]) -> None:
        self._box = box
        self._gone = gone
        box.know(self)
        self._known: weakref.WeakKeyDictionary[Any, tuple[str, list[str]]]
        self._known = weakref.WeakKeyDictionary()

    def open(self, own: Any) -> None:
        __tracebackhide__ = True
        self._box.connect()
        self._known[own] = ("", [])

    def close(self, own: Any) -> None:
        self._known.pop(own, None)

    def forget(self) -> None:
        """Close all of them."""
        for own in list(self._known):
            if getattr(own, "sock", None) is not None:
                own.sock = None
        self._known.clear()

    def is_open(self, own: Any) -> bool:
        return own in self._known

    def check(self, own: Any) -> None:
        __tracebackhide__ = True
        if own not in self._known:
            raise self._gone()

    def sender(self, own: Any, address: str) -> None:
        __tracebackhide__ = True
        self.check(own)
        self._known[own] = (address, [])

    def recipient(self, own: Any, address: str) -> None:
        __tracebackhide__ = True
        self.check(own)
        self._known[own][1].append(address)

    def content(self, own: Any, message: str | bytes) -> None:
        __tracebackhide__ = True
        self.check(own)
        sender, recipients = self._known[own]
        self._box.take(sender, recipients, message)


def _take_smtplib(box: Mailbox) -> None:  # noqa: C901 - a function for each command
    gone = lambda: smtplib.SMTPServerDisconnected("please run connect() first")  # noqa: E731
    told = _Envelopes(box, gone)

    def connect(own: Any, *args: Any, **options: Any) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.open(own)
        own.sock = _Nowhere()
        return 220, b"greenroom"

    def polite(own: Any, *args: Any, **options: Any) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.check(own)
        own.ehlo_resp = own.helo_resp = b"greenroom"
        own.does_esmtp = True
        own.esmtp_features = {"smtputf8": "", "8bitmime": "", "starttls": "", "auth": "PLAIN"}
        return _OK

    def starttls(own: Any, *args: Any, **options: Any) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.check(own)
        return _READY

    def login(own: Any, *args: Any, **options: Any) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.check(own)
        return _LOGGED_IN

    def mail(own: Any, sender: str, options: Any = ()) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.sender(own, sender)
        return _OK

    def rcpt(own: Any, recip: str, options: Any = ()) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.recipient(own, recip)
        return _OK

    def data(own: Any, msg: str | bytes) -> tuple[int, bytes]:
        __tracebackhide__ = True
        told.content(own, msg)
        return _OK

    def putcmd(own: Any, cmd: str, args: str = "") -> None:
        __tracebackhide__ = True
        told.check(own)
        own.greenroom_command = cmd

    def getreply(own: Any) -> tuple[int, bytes]:
        return _code(own.greenroom_command)

    def leave(own: Any) -> tuple[int, bytes]:
        told.close(own)
        own.sock = None
        return _BYE

    functions = {"mail": mail, "rcpt": rcpt, "data": data, "quit": leave}
    functions |= {"putcmd": putcmd, "getreply": getreply}
    functions |= {"connect": connect, "close": leave, **dict.fromkeys(_POLITE, polite)}
    functions |= {"starttls": starttls, "login": login}
    for name, function in functions.items():
        box.patch(smtplib.SMTP, name, function)
    box.patch(smtplib.LMTP, "connect", connect)


def _take_aiosmtplib(box: Mailbox, library: Any) -> None:  # noqa: C901 - a function for each command
    told = _Envelopes(box, lambda: library.SMTPServerDisconnected("Server not connected"))

    def answer(code: int, text: bytes) -> Any:
        return library.SMTPResponse(code, text.decode())

    async def connect(own: Any, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        try:
            told.open(own)
        except OSError as error:
            raise library.SMTPConnectError(f"Error connecting: {error}") from error
        return answer(220, b"greenroom")

    async def polite(own: Any, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        told.check(own)
        return answer(*_OK)

    async def mail(own: Any, sender: str, **options: Any) -> Any:
        __tracebackhide__ = True
        told.sender(own, sender)
        return answer(*_OK)

    async def rcpt(own: Any, recipient: str, **options: Any) -> Any:
        __tracebackhide__ = True
        told.recipient(own, recipient)
        return answer(*_OK)

    async def data(own: Any, message: str | bytes, **options: Any) -> Any:
        __tracebackhide__ = True
        told.content(own, message)
        return answer(*_OK)

    async def command(own: Any, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        told.check(own)
        word = args[0].decode() if args and isinstance(args[0], bytes) else str(*args[:1])
        return answer(*_code(word))

    async def starttls(own: Any, *args: Any, **options: Any) -> Any:
        return await command(own, "STARTTLS")

    async def login(own: Any, *args: Any, **options: Any) -> Any:
        return await command(own, "AUTH")

    async def leave(own: Any, **options: Any) -> Any:
        told.close(own)
        return answer(*_BYE)

    functions = {"mail": mail, "rcpt": rcpt, "data": data, "quit": leave, "connect": connect}
    functions |= dict.fromkeys((*_POLITE, "_ehlo_or_helo_if_needed"), polite)
    functions |= {"execute_command": command, "starttls": starttls, "login": login}
    functions |= dict.fromkeys(("auth_plain", "auth_login", "auth_crammd5", "auth_xoauth2"), login)
    for name, function in functions.items():
        box.patch(library.SMTP, name, function)
    box.patch(library.SMTP, "close", lambda own: told.close(own))  # noqa: PLW0108 - a method
    box.patch(library.SMTP, "is_connected", property(told.is_open))
    box.patch(library.SMTP, "supports_extension", lambda own, name: name.lower() == "smtputf8")


def _code(command: str) -> tuple[int, bytes]:
    """What a server that is content answers to a command."""
    known = {"QUIT": _BYE, "STARTTLS": _READY, "AUTH": _LOGGED_IN}
    return known.get((command.upper().split() or [""])[0], _OK)


class _Nowhere:
    """Stands for a socket: it's there, and nobody writes to it."""

    def close(self) -> None:
        """Nothing happens."""
