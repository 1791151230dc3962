"""Training in rounds until the loss is low enough: each round sees what the one before has reached."""

from jobflow import Flow, Job, index, last

with Flow("converge", params={"target": "0.3"}) as flow:
    train = Job(
        "train",
        image="busybox:1.36",
        command=["sh", "-c", "sleep 2; echo -n 0.9 > /dev/termination-log"],
        outputs="loss",  # the whole message
    )
    train.loop(
        while_=(index == 0) | (last.outputs["loss"].as_float() > flow.params.target.as_float()), max_iterations=20
    )

    publish = Job("publish", image="busybox:1.36", command="sleep 5")
    publish.when(train.iterations.size() < 20)
    train >> publish

if __name__ == "__main__":
    print(flow.to_yaml())
