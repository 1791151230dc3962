"""A nightly pipeline: the files of a day are listed, converted side by side, loaded and counted.

How many files there are is known only when the first step has ended: the loop runs over its output.
"""

from datetime import timedelta

from jobflow import Flow, Job, JobTemplate, Template, item, secret, this

IMAGE = "registry.example.com/etl:7"

with Flow("etl", params={"day": "2026-01-01"}, parallelism=10, deadline="4h", ttl=timedelta(days=7)) as flow:
    listing = Job("list", image=IMAGE, command=["list-files", flow.params.day], outputs=["files"])

    convert = Job("convert", image=IMAGE, command=["convert", item], cpu=2, memory="4Gi")
    convert.loop(listing.outputs["files"].as_list(), parallelism=5, tolerate="5%", max_iterations=500).retry(2)

    load = Job(
        "load",
        image=IMAGE,
        command=["load", flow.params.day],
        env={"RUN": this.name, "PASSWORD": secret("warehouse", "password")},
        outputs=["rows"],
    )

    message = JobTemplate("message", image="busybox:1.36", command="echo done")
    celebrate = Template("celebrate", message).when(load.outputs["rows"].as_int() > 1_000_000)
    alarm = Template("alarm", message).after(load, on="Failed")

    listing >> convert >> load >> celebrate

if __name__ == "__main__":
    print(flow.to_yaml())
