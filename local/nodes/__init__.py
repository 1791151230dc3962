"""Simulated nodes: a scheduler and kubelets in one process, which uses only the Kubernetes API.

Annotations of a pod, else its command, determine what its containers do. Durations are divided by `--speed`.

| Pod annotation | Meaning |
|---|---|
| `jobflow.dev/run-seconds` | how long each container runs (`inf`: until deleted) |
| `jobflow.dev/exit-code` | the exit code |
| `jobflow.dev/termination-message` | the termination message |
| `jobflow.dev/ready-after-seconds` | simulated seconds until it is ready |
| `jobflow.dev/fail-first` | N: the first N runs under this pod name fail (with `exit-code`, else 1), later ones succeed |
| `jobflow.dev/image-pull: fail` | the image cannot be pulled, like all images named `fail/...` |
| `jobflow.dev/run-command: "true"` | run the container's command as a local process |
| `jobflow.dev/behave` | JSON list of rules `{pod, container, runSeconds, exitCode, terminationMessage, readyAfterSeconds, failFirst}`; `pod` and `container` are regular expressions searched in the names; the first match wins |

`.CONTAINER` after an annotation's key limits it to that container. Without annotations, commands that consist only
of `sleep`, `echo`, `exit`, `true` and `false` are simulated; all others take `--run-seconds` and exit with 0.
"""
