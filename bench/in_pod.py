"""Runs the controller as in a Pod: with a mounted service account, whose folder BENCH_SERVICE_ACCOUNT names, instead of a
kubeconfig. `service_account` makes that folder."""

import os
import sys

from shared.kube.start import prepare_imports

prepare_imports()
from controller.main import main
from shared.kube.client import connect

if __name__ == "__main__":
    vars(connect)["SERVICE_ACCOUNT"] = os.environ["BENCH_SERVICE_ACCOUNT"]
    sys.exit(main())
