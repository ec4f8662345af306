"""The ways out: text messages through an HTTP gateway, e-mail by SMTP, signed webhooks; the log where none is configured.

Blocking clients that eventlet makes cooperative. What an attempt raises names the kind of failure, never an address: it is logged,
stored and shown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
import urllib3

from mediation.config import MediationSettings
from mediation.domain.notice import NoticeChannel
from mediation.policies.roster import check_webhook
from mediation.quiet import Shift, parse_shift
from svckit.config import ConfigError
from svckit.errors import InvalidArgument

_log = logging.getLogger(__name__)
SECONDS = 10.0
"""Longest wait for one step of a gateway; the lease of a delivery is longer than a whole attempt."""
_MOST_ANSWER = 65_536
# The request itself is what they do not like. Other refusals (401, 404 …) are mended by an operator: worth further tries.
_LASTING_STATUS = frozenset({400, 410, 413, 414, 415, 422})
_TIMEOUT = urllib3.Timeout(connect=SECONDS / 2, read=SECONDS)


class Failed(Exception):
    """An attempt that did not succeed. `permanent`: repeating it as it is cannot help."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out. `data` is what a webhook gets beside the text: plain JSON."""

    delivery_id: str
    address: str
    text: str
    data: Mapping[str, Any]
    at: datetime


Send = Callable[[Message], None]


class Gateways:
    """The configured gateways."""

    def __init__(self, senders: Mapping[NoticeChannel, Send]) -> None:
        self._senders = dict(senders)

    def send(self, channel: NoticeChannel, message: Message) -> bool:
        """Sends a message; False: the channel has no gateway, and the message went to the log. Raises Failed."""
        sender = self._senders.get(channel)
        if sender is None:
            _log.info("no gateway for %s: %s", channel, message.text, extra={"delivery_id": message.delivery_id})
            return False
        sender(message)
        return True

    @property
    def channels(self) -> frozenset[NoticeChannel]:
        """The channels with a gateway."""
        return frozenset(self._senders)


def configured(settings: MediationSettings) -> Gateways:
    """Returns the gateways of the settings. Raises ConfigError naming the variable that is wrong."""
    senders: dict[NoticeChannel, Send] = {}
    http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT, maxsize=4)
    if settings.notice_sms:
        senders[NoticeChannel.SMS] = SmsGateway(sms_template(settings.notice_sms), key=settings.notice_sms_key, http=http).send
    if settings.notice_smtp_url:
        senders[NoticeChannel.MAIL] = MailGateway(settings.notice_smtp_url, sender=settings.notice_mail_from).send
    if settings.notice_webhook_secret:
        key = webhook_key(settings.notice_webhook_secret)
        senders[NoticeChannel.WEBHOOK] = WebhookGateway(key=key, hosts=settings.notice_webhook_hosts, http=http).send
    return Gateways(senders)


def quiet_hours(settings: MediationSettings) -> Shift:
    """Returns the quiet hours of the settings. Raises ConfigError."""
    try:
        return parse_shift(settings.notice_quiet)
    except ValueError:
        raise ConfigError("BINGLIAN_NOTICE_QUIET is not written like 22:00-07:00") from None


# ----------------------------------------------------------------------------------------------------------------------- SMS


class SmsTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The request an SMS gateway expects.

    `{phone}`, `{text}`, `{id}` and `{key}` are replaced in the values of `json` or `form`, in `headers` and (percent-encoded) in `url`.
    `success` names a field of the JSON answer (dots lead inwards) and the value it has when the message was taken; without it
    every 2xx is success.
    """

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    success: tuple[str, str] | None = None


def sms_template(text: str) -> SmsTemplate:
    """Reads a template from JSON. Raises ConfigError."""
    try:
        template = msgspec.json.decode(text.encode(), type=SmsTemplate)
    except msgspec.DecodeError as error:
        raise ConfigError(f"BINGLIAN_NOTICE_SMS is no template: {error}") from None
    if urlsplit(template.url).scheme not in ("http", "https"):
        raise ConfigError("BINGLIAN_NOTICE_SMS needs a url with http or https")
    return template


class SmsGateway:
    """Text messages through whatever HTTP interface the operator's provider has."""

    def __init__(self, template: SmsTemplate, *, key: str, http: urllib3.PoolManager) -> None:
        self._template = template
        self._key = key
        self._http = http

    def send(self, message: Message) -> None:
        """Raises Failed."""
        values = {"phone": message.address, "text": message.text, "id": message.delivery_id, "key": self._key}
        template = self._template
        headers = {name: _filled(value, values) for name, value in template.headers.items()}
        body: bytes | None = None
        if template.json is not None:
            body = json.dumps(_filled(template.json, values), ensure_ascii=False).encode()
            headers.setdefault("Content-Type", "application/json")
        elif template.form is not None:
            body = urlencode(_filled(template.form, values)).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        url = _filled(template.url, {name: quote(value, safe="") for name, value in values.items()})
        answer = _asked(self._http, template.method, url, headers, body)
        self._check(answer)

    def _check(self, answer: bytes) -> None:
        if self._template.success is None:
            return
        path, wanted = self._template.success
        try:
            value: Any = json.loads(answer)
            for name in path.split("."):
                value = value[name]
        except (ValueError, KeyError, TypeError):
            raise Failed("SMS_ANSWER_UNREADABLE") from None
        if str(value) != wanted:
            # The code says why and is no address; a gateway that answers with prose is cut short.
            raise Failed(f"SMS_REFUSED {str(value)[:40]}")


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Replaces the names inside texts, however deep: what is filled in cannot become structure."""
    if isinstance(value, str):
        parts = value.split("{")
        done = [parts[0]]
        for part in parts[1:]:
            name, end, rest = part.partition("}")
            done.append(values[name] + rest if end and name in values else "{" + part)
        return "".join(done)
    if isinstance(value, dict):
        return {name: _filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return value


def _asked(http: urllib3.PoolManager, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Sends a request, follows nobody elsewhere, and returns the body of a 2xx answer."""
    try:
        answer = http.request(method, url, body=body, headers=headers, redirect=False, preload_content=False)
        try:
            data = answer.read(_MOST_ANSWER)
            status = answer.status
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # The text of these errors holds the URL, and with it perhaps a number.
        raise Failed(type(error).__name__) from None
    if 200 <= status < 300:
        return data
    raise Failed(f"HTTP {status}", permanent=status in _LASTING_STATUS)


# -------------------------------------------------------------------------------------------------------------------- e-mail


class MailGateway:
    """E-mail by SMTP: smtp://user:password@host:port (STARTTLS where the server has it) or smtps://."""

    def __init__(self, url: str, *, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not sender:
            raise ConfigError(
                "BINGLIAN_NOTICE_SMTP_URL is no smtp:// or smtps:// address, or BINGLIAN_NOTICE_MAIL_FROM is missing"
            )
        self._secure = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or (465 if self._secure else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender

    def send(self, message: Message) -> None:
        """Raises Failed."""
        try:
            with self._connection() as server:
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(self._mail(message))
        except smtplib.SMTPRecipientsRefused as error:
            code = int(next(iter(error.recipients.values()))[0])
            raise Failed(f"SMTP {code}", permanent=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            # A refused login is the operator's mistake: it will be mended, and the messages should still go.
            lasting = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise Failed(f"SMTP {error.smtp_code}", permanent=lasting) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Failed(type(error).__name__) from None

    def _connection(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._secure:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif self._user:
                raise Failed("SMTP_NOT_ENCRYPTED")
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, message.address
        mail["Subject"] = message.text.splitlines()[0][:120]
        mail["Date"] = format_datetime(message.at)
        # The same for every attempt: mail programs show a repeated message once.
        mail["Message-ID"] = f"<{message.delivery_id}@binglian>"
        mail.set_content(message.text)
        return mail


# ------------------------------------------------------------------------------------------------------------------- webhook


def webhook_key(secret: str) -> bytes:
    """Returns the signing key of "whsec_" and base64, as the Standard Webhooks specification writes it. Raises ConfigError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if len(key) < 24:
        raise ConfigError("BINGLIAN_NOTICE_WEBHOOK_SECRET is not whsec_ and the base64 of at least 24 bytes")
    return key


def signature(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Returns the value of `webhook-signature`: HMAC-SHA256 over id, Unix seconds and body, as standardwebhooks.com has it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class WebhookGateway:
    """Signed POSTs to systems of departments. The time is part of what is signed: a copied message cannot be sent again later."""

    def __init__(self, *, key: bytes, hosts: tuple[str, ...], http: urllib3.PoolManager) -> None:
        self._key = key
        self._hosts = hosts
        self._http = http

    def send(self, message: Message) -> None:
        """Raises Failed."""
        try:
            check_webhook(message.address, hosts=self._hosts)
        except InvalidArgument as error:
            # It was allowed when it was entered.
            raise Failed(error.reason, permanent=True) from None
        body = json.dumps({"text": message.text, **message.data}, ensure_ascii=False).encode()
        timestamp = int(message.at.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._key, message_id=message.delivery_id, timestamp=timestamp, body=body),
        }
        _asked(self._http, "POST", message.address, headers, body)
