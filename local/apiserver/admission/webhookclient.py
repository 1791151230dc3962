"""The client that calls webhooks: AdmissionReview v1 over HTTPS, verified by the configuration's CA bundle."""

import base64
import io
import ssl
from typing import Any

import aiohttp
import orjson

from local.apiserver.storage.store import ObjectStore
from shared.model.types import Body

ADDRESS = "apiserver.testing/address"  # annotation of a Service: the host:port that is called in its place
DEFAULT_TIMEOUT = 10


class CallFailed(Exception):
    """The webhook could not be called, or its response is invalid."""


class WebhookClient:
    """One HTTP session for all webhooks; TLS contexts are cached by CA bundle."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.services: dict[str, str] = {}  # "namespace/name" or "namespace/name:port" -> "host:port"
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _context(self, bundle: str) -> ssl.SSLContext:
        found = self._contexts.get(bundle)
        if found is None:
            found = ssl.create_default_context()
            if bundle:
                try:
                    found = ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
                except (ssl.SSLError, ValueError) as error:
                    raise CallFailed(f"failed to call webhook: unable to load root certificates: {error}") from None
            self._contexts[bundle] = found
        return found

    def _target(self, config: Body) -> tuple[str, str, str | None]:
        """The URL for error messages, the URL to connect to, and the TLS server name if it differs."""
        if "url" in config:
            return config["url"], config["url"], None
        service = config["service"]
        namespace, name, port = service["namespace"], service["name"], service.get("port", 443)
        host = f"{name}.{namespace}.svc"
        path = "/" + (service.get("path") or "/").lstrip("/")
        named = f"https://{host}:{port}{path}"
        address = self.services.get(f"{namespace}/{name}:{port}") or self.services.get(f"{namespace}/{name}")
        if address is None:
            entry = self.store.get(("", "services"), namespace, name)
            if entry is None:
                raise CallFailed(f'failed to call webhook: Post "{named}": service "{name}" not found')
            address = (entry.meta.get("annotations") or {}).get(ADDRESS)
            if address is None:
                raise CallFailed(f'failed to call webhook: Post "{named}": no endpoints available for service "{name}"')
        return named, f"https://{address}{path}", host

    async def ask(self, hook: Body, request: Body) -> Body:
        """The `response` of the review. Raises CallFailed where there is no valid one."""
        seconds = hook.get("timeoutSeconds") or DEFAULT_TIMEOUT
        config = hook["clientConfig"]
        named, url, server = self._target(config)
        query = f"{'&' if '?' in url else '?'}timeout={seconds}s"
        review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, */*",
            "User-Agent": "kube-apiserver-admission",
        }
        if server is not None:
            headers["Host"] = named.removeprefix("https://").partition("/")[0]
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            async with self._session.post(
                url + query,
                data=io.BytesIO(orjson.dumps(review)),
                headers=headers,
                ssl=self._context(config.get("caBundle") or ""),
                server_hostname=server,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as answer:
                return _read(answer.status, await answer.read(), request["uid"])
        except TimeoutError:
            why: str | Exception = "context deadline exceeded"
        except aiohttp.ClientConnectorCertificateError as error:
            why = f"tls: failed to verify certificate: x509: {error.certificate_error}"
        except aiohttp.ClientConnectorError as error:
            why = f"dial tcp {error.host}:{error.port}: connect: {error.strerror or error}"
        except aiohttp.ServerDisconnectedError:
            why = "EOF"
        except (aiohttp.ClientError, OSError) as error:
            why = error
        raise CallFailed(f'failed to call webhook: Post "{named}{query}": {why}')


def _read(status: int, body: bytes, uid: str) -> Body:
    if status != 200:
        text = body.decode(errors="replace").strip()
        if status == 404:
            raise CallFailed("failed to call webhook: the server could not find the requested resource")
        if status >= 500:
            raise CallFailed(
                f'failed to call webhook: an error on the server ("{text}") has prevented the request from succeeding'
            )
        raise CallFailed(f"failed to call webhook: the server rejected our request for an unknown reason ({status})")
    try:
        review: Any = orjson.loads(body)
        answer: Body = review["response"]
    except (ValueError, KeyError, TypeError):
        raise CallFailed("received invalid webhook response: webhook response is not an AdmissionReview") from None
    if review.get("apiVersion") != "admission.k8s.io/v1" or review.get("kind") != "AdmissionReview":
        raise CallFailed(
            "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
            f"got {review.get('apiVersion')}, Kind={review.get('kind')}"
        )
    if answer.get("uid") != uid:
        raise CallFailed(
            f'received invalid webhook response: expected response.uid="{uid}", got "{answer.get("uid", "")}"'
        )
    return answer
