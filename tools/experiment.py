"""Run, watch and print tables of papers: python tools/experiment.py ls|run|status|table TABLE [options]."""
import sys

from mmcluster.cli import main

if __name__ == '__main__':
    sys.exit(main(['experiment', *sys.argv[1:]]))
