"""Train a config or a recipe: python tools/train.py CONFIG [options]."""
from mmcluster.cli.train import main

if __name__ == '__main__':
    main()
