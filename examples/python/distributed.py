"""Distributed training in the frameworks' own terms: PyTorch on eight GPUs, then MPI, Ray and TensorFlow."""

from jobflow import Flow, Job, mpi, ray, tensorflow, torch

TRAINER = "registry.example.com/trainer:3"

with Flow("distributed", params={"epochs": 10}) as flow:
    # RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are set in every pod: init_process_group() needs no more.
    train = Job(
        "train",
        **torch(8, image=TRAINER, command=["python", "train.py", "--epochs", flow.params.epochs], gpus=1),
        queue="research",
    ).retry(1)
    reduce = Job(
        "reduce", **mpi(4, image="volcanosh/example-mpi:0.0.3", launcher="mpiexec --allow-run-as-root mpi_hello_world")
    )
    tune = Job("tune", **ray(3, image="rayproject/ray:2.44.1", driver="python tune.py --trials 20", cpu=4))
    serve = Job("serve", **tensorflow(2, servers=1, image="tensorflow/tensorflow:2.16.1", command="python fit.py"))
    train >> [reduce, tune, serve]

if __name__ == "__main__":
    print(flow.to_yaml())
