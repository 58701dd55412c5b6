"""A connection to Updraft: where it is, who calls, and what to do about a refusal."""

import asyncio
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# Broken connections and a server that restarts. Everything the client sends can be sent again, so trying again is safe.
TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
}

# A connection that has died without a word is noticed, also while nothing is sent.
OPTIONS = [("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 10_000)]


class FixedToken:
    """A token that was handed over, such as by `updraft token`."""

    def __init__(self, token):
        self.token = token

    async def get(self):
        return self.token

    def expired(self):
        return False


class ClientCredentials:
    """Tokens from the gateway, by OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

    # A token is exchanged before it ends, as a call takes time to arrive.
    EARLY_SECONDS = 30

    def __init__(self, url, client_id, secret):
        self.url, self.client_id, self.secret = url, client_id, secret
        self.token, self.until = None, 0.0

    async def get(self):
        patience = Patience()
        while self.token is None or time.monotonic() > self.until:
            try:
                answer = await asyncio.to_thread(self._fetch)
            except OSError as error:
                await patience.wait(self, error)
                continue
            self.token = answer["access_token"]
            self.until = time.monotonic() + answer["expires_in"] - self.EARLY_SECONDS
        return self.token

    def can_retry(self, error):
        """Whether the endpoint is away; what it refuses, it refuses again."""
        return not isinstance(error, urllib.error.HTTPError) or error.code == 429 or error.code >= 500

    def expired(self):
        """Forgets the token; tells whether another one can be had."""
        had_one, self.token = self.token is not None, None
        return had_one

    def _fetch(self):
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret}
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url, data=body), timeout=30) as answer:
            return json.load(answer)


class Connection:
    """A channel and the token that each call bears; with mutual TLS the certificate says who calls, and there is none."""

    def __init__(self, target, tokens=None, ca=None, certificate=None, key=None):
        self.tokens = tokens
        if ca or certificate:
            credentials = grpc.ssl_channel_credentials(
                root_certificates=_read(ca), private_key=_read(key), certificate_chain=_read(certificate)
            )
            self.channel = grpc.aio.secure_channel(target, credentials, options=OPTIONS)
        else:
            self.channel = grpc.aio.insecure_channel(target, options=OPTIONS)

    async def metadata(self):
        if self.tokens is None:
            return []
        return [("authorization", f"Bearer {await self.tokens.get()}")]

    def can_retry(self, error):
        """Whether the same call may succeed when it is made again."""
        if error.code() == grpc.StatusCode.UNAUTHENTICATED:
            return self.tokens is not None and self.tokens.expired()
        return error.code() in TRANSIENT

    async def close(self):
        await self.channel.close()


class Patience:
    """Waits between attempts, longer each time, and gives up after too many in a row that led to nothing."""

    ATTEMPTS_MAX = 10
    WAIT_SECONDS_MAX = 30

    def __init__(self):
        self.failures = 0

    def progress(self):
        self.failures = 0

    async def wait(self, asked, error):
        """Waits, or raises the error again if whoever was asked cannot be asked again."""
        self.failures += 1
        if self.failures > self.ATTEMPTS_MAX or not asked.can_retry(error):
            raise error
        await asyncio.sleep(min(0.1 * 2**self.failures, self.WAIT_SECONDS_MAX))


def reason(error):
    """The machine-readable reason of a refusal, such as RUN_OPEN; empty without."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


def _read(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()
