"""`python -m population forms`: writes the forms as XLSForm, and brings back what was filled in with them.

    python -m population forms make --to forms
    python -m population forms bring field_check export.zip --edge https://binglian.example --user zhang --photos LINK

A client like any other: it needs no database and no key, and acts as who brings the submissions, in their areas and with their rights.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from population.exports import xlsform
from population.forms.requests import REQUESTS, Photos, repeats_of, request_of
from population.forms.results import REFUSED, SENT, Result, Results, digest_of
from population.forms.sending import Metadata, Service, channel_to
from population.forms.submissions import Export, Submission, read_export
from population.imports.mapping import RowError
from svckit.errors import InvalidArgument, PermissionDenied, ServiceError, Unauthenticated, Unavailable

DONE, SOME_REFUSED, STOPPED = 0, 1, 2
_IMPORTED = ", ".join(name for name in xlsform.FORMS if name not in REQUESTS)
_BRING = f"""Sends every submission of an export of an ODK server as a request of the person who signs in.

A submission is known by its id on the server: sent again, it changes nothing, and what stands as sent in the file of results is not sent
again. Begin again to go on where it stopped, or when what was refused has been put right. Of {_IMPORTED} the export is taken by an import
job (POST /v1/imports) with the mapping `form: resident`, `form: household` or `form: household_members`."""
_CODES = "exit codes: 0 everything is in the register; 1 some submissions were refused; 2 it stopped before the end"


def main(arguments: Sequence[str], *, out: TextIO) -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, out))
    except (OSError, ValueError) as error:
        out.write(f"stopped: {error}\n")
    except ServiceError as error:
        out.write(f"stopped: {error.reason}{f' ({error.field})' if error.field else ''}: {error.message}\n")
    return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m population forms", description=(__doc__ or "").splitlines()[0], epilog=_CODES
    )
    verbs = parser.add_subparsers(required=True, metavar="make|bring")
    make = verbs.add_parser(
        "make", help="write the forms as XLSForm", description="Writes the forms as XLSForm, for an ODK server."
    )
    make.add_argument("form", nargs="*", metavar="FORM", help=f"{', '.join(xlsform.FORMS)} (all of them)")
    make.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where to (here)")
    make.set_defaults(run=_make)
    bring = verbs.add_parser(
        "bring",
        help="send what was filled in",
        description=_BRING,
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bring.add_argument("form", choices=list(REQUESTS), help="which form it is")
    bring.add_argument(
        "file", type=Path, help="ZIP or CSV of ODK Central (with <file>-<repeat>.csv and media/ beside it), XLSX of KoBoToolbox"
    )
    bring.add_argument(
        "--edge", default=os.environ.get("BINGLIAN_EDGE") or "http://localhost:8080", help="entry of the suite (%(default)s)"
    )
    bring.add_argument("--user", help="who signs in; the password is asked for, or in BINGLIAN_PASSWORD")
    bring.add_argument("--token-file", type=Path, help="a token instead; or in BINGLIAN_TOKEN")
    bring.add_argument(
        "--photos", default="", metavar="LINK", help="where photographs lie, with {key} and {name} for submission and file"
    )
    bring.add_argument("--results", type=Path, help="file of results (<file>.results.csv)")
    bring.add_argument(
        "--dry-run", action="store_true", help="judge everything, look whether what it is about is there, send nothing"
    )
    bring.set_defaults(run=_bring)
    return parser


def _make(options: argparse.Namespace, out: TextIO) -> int:
    names = options.form or list(xlsform.FORMS)
    if unknown := [name for name in names if name not in xlsform.FORMS]:
        raise InvalidArgument(f"There are the forms {', '.join(xlsform.FORMS)}.", reason="FORM_UNKNOWN", field=unknown[0])
    options.to.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = options.to / f"binglian_{name}.xlsx"
        path.write_bytes(xlsform.workbook(name))
        out.write(f"{path}  {xlsform.FORMS[name].zh}  version {xlsform.version(name)}\n")
    return DONE


def _bring(options: argparse.Namespace, out: TextIO) -> int:
    export = read_export(options.file, repeats=repeats_of(options.form))
    with channel_to(options.edge) as channel:
        service = Service(channel, metadata=_authorization(options))
        bringing = Bringing(options.form, service=service, export=export, photos=options.photos, out=out)
        if options.dry_run:
            return bringing.rehearse()
        results = Results(options.results or options.file.with_name(f"{options.file.name}.results.csv"))
        try:
            return bringing.run(results)
        finally:
            results.close()


class Bringing:
    """The submissions of one export on their way."""

    def __init__(self, form: str, *, service: Service, export: Export, photos: str, out: TextIO) -> None:
        self._form = form
        self._service = service
        self._submissions = export.submissions
        self._photos = Photos(link=photos, digest=export.digest)
        self._keys = Counter(submission.key for submission in export.submissions)
        self._out = out

    def rehearse(self) -> int:
        """Judges everything and sends nothing; returns the exit code. Raises Unavailable, PermissionDenied."""
        refused = 0
        for submission in self._submissions:
            try:
                self._service.look(self._form, self._request(submission))
            except (RowError, ServiceError) as error:
                refused += self._refused(submission, error)
        self._out.write(
            f"{len(self._submissions)} submissions: {len(self._submissions) - refused} acceptable, {refused} refused\n"
        )
        return SOME_REFUSED if refused else DONE

    def run(self, results: Results) -> int:
        """Sends what was not sent before; returns the exit code. Raises Unavailable, PermissionDenied."""
        sent = before = refused = 0
        for submission in self._submissions:
            digest = ""
            try:
                request = self._request(submission)
                digest = digest_of(request)
                if results.has_sent(submission.key, digest):
                    before += 1
                    continue
                self._service.send(self._form, request)
            except (RowError, ServiceError) as error:
                refused += self._refused(submission, error)
                told = {"field": error.field, "reason": error.reason, "message": error.message}
                results.add(Result(row=submission.row, key=submission.key, digest=digest, outcome=REFUSED, **told))
                continue
            sent += 1
            results.add(Result(row=submission.row, key=submission.key, digest=digest, outcome=SENT))
        self._out.write(f"{len(self._submissions)} submissions: {sent} sent, {before} sent before, {refused} refused\n")
        return SOME_REFUSED if refused else DONE

    def _request(self, submission: Submission) -> Any:
        if submission.key and self._keys[submission.key] > 1:
            raise RowError(field="KEY", reason="KEY_TWICE", message="Several submissions of the file have this id.")
        return request_of(self._form, submission, photos=self._photos)

    def _refused(self, submission: Submission, error: RowError | ServiceError) -> int:
        """Tells why a submission was refused; raises what no other submission would fare better with."""
        if isinstance(error, Unavailable | Unauthenticated) or (
            isinstance(error, PermissionDenied) and error.reason in _NOBODYS
        ):
            raise error
        self._out.write(f"row {submission.row}: {error.reason}{f' ({error.field})' if error.field else ''}: {error.message}\n")
        return 1


_NOBODYS = frozenset({"ROLE_REQUIRED", "PURPOSE_REQUIRED", "PURPOSE_NOT_ALLOWED"})


def _authorization(options: argparse.Namespace) -> Callable[[], Metadata]:
    """Returns what gives the authorization of a call. Raises PermissionDenied (WRONG_CREDENTIALS), ValueError where nobody signs in."""
    if options.user:
        secret = os.environ.get("BINGLIAN_PASSWORD") or getpass.getpass(f"Password of {options.user}: ")
        return SignIn(options.edge, options.user, secret)
    token = (
        options.token_file.read_text(encoding="ascii").strip() if options.token_file else os.environ.get("BINGLIAN_TOKEN", "")
    )
    if not token:
        raise ValueError("say who brings the forms: --user, --token-file or BINGLIAN_TOKEN")
    return lambda: [("authorization", f"Bearer {token}")]


class SignIn:
    """Signs a person in at the edge, and again before the token expires."""

    def __init__(self, edge: str, user: str, password: str) -> None:
        self._url = f"{edge.rstrip('/')}/oauth2/token"
        self._form = urllib.parse.urlencode({"grant_type": "password", "username": user, "password": password}).encode()
        self._token, self._expires = "", 0.0

    def __call__(self) -> Metadata:
        """Returns the authorization. Raises PermissionDenied (WRONG_CREDENTIALS), Unavailable (EDGE_UNAVAILABLE)."""
        if time.time() > self._expires - 60:
            answer = self._ask()
            self._token, self._expires = str(answer["access_token"]), time.time() + float(answer["expires_in"])
        return [("authorization", f"Bearer {self._token}")]

    def _ask(self) -> Any:
        if not self._url.startswith(("http://", "https://")):
            raise ValueError("--edge begins with http:// or https://")
        try:
            with urllib.request.urlopen(self._url, data=self._form, timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (400, 401, 403):
                raise Unauthenticated("Name or password is wrong.", reason="WRONG_CREDENTIALS") from None
            raise Unavailable(f"The suite answers {error.code}.", reason="EDGE_UNAVAILABLE") from None
        except (urllib.error.URLError, TimeoutError) as error:
            raise Unavailable("The suite cannot be reached.", reason="EDGE_UNAVAILABLE") from error
