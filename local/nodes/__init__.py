"""Nodes without machines: a client that stands in for scheduler and kubelets, speaking only the Kubernetes API.

What a pod does is said by its annotations, else by its command. A duration is real seconds divided by `--speed`.

| Pod annotation | Meaning |
|---|---|
| `jobflow.dev/run-seconds` | how long each container runs (`inf`: until deleted) |
| `jobflow.dev/exit-code` | with which code it ends |
| `jobflow.dev/termination-message` | what its termination message says |
| `jobflow.dev/ready-after-seconds` | when it becomes ready |
| `jobflow.dev/fail-first` | N: the first N runs under this pod name fail (with `exit-code`, else 1), later ones succeed |
| `jobflow.dev/image-pull: fail` | the image cannot be pulled (as is so for images named `fail/...`) |
| `jobflow.dev/run-command: "true"` | run the container's command as a local process |
| `jobflow.dev/behave` | JSON list of rules `{pod, container, runSeconds, exitCode, terminationMessage, readyAfterSeconds, failFirst}`; `pod` and `container` are regular expressions searched in the names; the first match wins |

`.CONTAINER` after an annotation's key limits it to that container. Without any of these, commands that are plainly made
of `sleep`, `echo`, `exit`, `true` and `false` are followed, at `--speed`; all others run `--run-seconds` and end with 0.
"""
