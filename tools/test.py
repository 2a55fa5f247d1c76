"""Evaluate a checkpoint: python tools/test.py CONFIG CHECKPOINT [options]."""
from mmcluster.cli.test import main

if __name__ == '__main__':
    main()
