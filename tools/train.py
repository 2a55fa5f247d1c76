"""Train a config or a recipe: python tools/train.py CONFIG [options]."""
import sys

from mmcluster.cli import main

if __name__ == '__main__':
    sys.exit(main(['train', *sys.argv[1:]]))
