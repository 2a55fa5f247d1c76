"""Run, watch and print tables of papers: python tools/experiment.py ls|run|status|table TABLE [options]."""
from mmcluster.cli.experiment import main

if __name__ == '__main__':
    main()
