"""`python -m webhook`."""

import sys

from shared.kube.start import prepare_imports

prepare_imports()
from webhook.main import main

if __name__ == "__main__":
    sys.exit(main())
