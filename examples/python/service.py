"""Tests against a server that lives as long as they need it: a daemon, and a probe that waits until it answers."""

from jobflow import Flow, Job

with Flow("service") as flow:
    server = Job(
        "server",
        image="registry.example.com/model-server:2",
        command="serve --port 8080",
        plugins=["svc"],
    ).daemon()
    tests = Job("tests", image="registry.example.com/tests:2", command="pytest -q").retry(1)
    tests.after(server, probe={"httpGetList": [{"taskName": "main", "port": 8080, "path": "/health"}]})

if __name__ == "__main__":
    print(flow.to_yaml())
