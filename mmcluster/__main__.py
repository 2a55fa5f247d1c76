"""``python -m mmcluster``."""
import sys

from mmcluster.cli import main

if __name__ == '__main__':
    sys.exit(main())
