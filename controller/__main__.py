import sys

from shared.kube.start import prepare_imports

if __name__ == "__main__":
    prepare_imports()
    from controller.main import main

    sys.exit(main())
