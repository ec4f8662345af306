"""Settings of svc-mediation: those of every service, its patience with housing, and the ways its messages go out."""

from __future__ import annotations

from dataclasses import dataclass

from svckit.config import Settings


@dataclass(frozen=True, kw_only=True)
class MediationSettings(Settings):
    """`locate_seconds`: how long a report waits for housing to find its grid (BINGLIAN_LOCATE_SECONDS).
    `holidays`: a CSV file of days off and make-up days that the calendar package does not know yet (see `calendar.announce`).
    `font_folder`: where the Chinese fonts for PDFs are, if not where systems install them (BINGLIAN_FONT_FOLDER).

    Messages (BINGLIAN_NOTICE_…; a channel that is not configured goes to the log): `notice_quiet` hours of the night in Shanghai;
    `notice_sms` the request an SMS gateway expects, as JSON (see gateways.SmsTemplate), `notice_sms_key` its {key};
    `notice_smtp_url` smtp://user:password@host:port or smtps://, `notice_mail_from` the sender; `notice_webhook_secret` whsec_…,
    `notice_webhook_hosts` the host[:port]s that may be called.
    """

    locate_seconds: float = 0.3
    holidays: str = ""
    font_folder: str = ""
    notice_quiet: str = "22:00-07:00"
    notice_sms: str = ""
    notice_sms_key: str = ""
    notice_smtp_url: str = ""
    notice_mail_from: str = ""
    notice_webhook_secret: str = ""
    notice_webhook_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HistorySettings:
    """What checking the histories needs: where the cases are."""

    mongo_uri: str
    mongo_database: str = ""
