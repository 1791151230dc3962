"""A sweep over learning rates, the best one evaluated, and a decision: ship it, train again, or tell somebody.

Values of one step reach another as outputs: a step prints a JSON object to /dev/termination-log, and names its keys.
"""

from jobflow import Flow, Job, Switch, attempt, item

IMAGE = "registry.example.com/trainer:3"

with Flow("sweep", params={"day": "2026-01-01", "target": 0.9}, failure="Continue") as flow:
    prepare = Job(
        "prepare",
        image=IMAGE,
        command=["python", "-m", "trainer.prepare", "--day", flow.params.day],
        outputs=["rows"],
    ).retry(3, backoff="30s")

    train = (
        Job(
            "train",
            image=IMAGE,
            command=f"python -m trainer.fit --rows {prepare.outputs['rows']} --lr {item['lr']} --size {item['size']}",
            gpus=1,
            memory="16Gi",
            outputs=["accuracy"],
        )
        .loop({"lr": [0.1, 0.01], "size": ["small", "large"]}, parallelism=2, tolerate=1)
        .retry(2, when=attempt.exit_code != 3)  # 3: the data are bad, and another attempt finds them no better
        .deadline("6h")
    )

    evaluate = Job("evaluate", image=IMAGE, command="python -m trainer.evaluate", outputs=["accuracy", "grade"])

    ship = Job("ship", image=IMAGE, command="python -m trainer.ship")
    again = Job("again", image=IMAGE, command="python -m trainer.fit --more-data")
    tell = Job("tell", image="busybox:1.36", command=["echo", "grade", evaluate.outputs["grade"]])
    good = evaluate.outputs["accuracy"].as_float() >= flow.params.target.as_float()
    route = Switch("route", evaluate.outputs["grade"], {("A", "B"): ship, "C": again}, default=tell)
    ship.when(good & (prepare.outputs["rows"].as_int() > 1000))

    prepare >> train >> evaluate >> route
    tidy = Job("tidy", image="busybox:1.36", command="rm -rf /scratch").finally_()

if __name__ == "__main__":
    print(flow.to_yaml())
