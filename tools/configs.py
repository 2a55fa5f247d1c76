"""List recipes, show a stage, write a new recipe: python tools/configs.py ls|show|new|check [options]."""
import sys

from mmcluster.cli import main

if __name__ == '__main__':
    sys.exit(main(['configs', *sys.argv[1:]]))
