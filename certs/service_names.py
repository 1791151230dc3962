"""The DNS names of a Service that a serving certificate must have."""


def service_names(service: str, namespace: str, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The DNS names of a Service, the one that the API server uses first."""
    host = f"{service}.{namespace}.svc"
    return (host, f"{service}.{namespace}", service, f"{host}.cluster.local", *extra)
