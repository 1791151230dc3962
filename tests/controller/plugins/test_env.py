from tests.controller.plugins.make import INIT, env, pod, shape


def test_every_container_knows_its_index_under_both_names() -> None:
    made = pod(shape({"w": 2}, {"env": []}), "w", 1, initContainers=INIT)
    wanted = {"VK_TASK_INDEX": "1", "VC_TASK_INDEX": "1"}
    assert env(made) == wanted
    assert env(made, field="initContainers") == wanted
