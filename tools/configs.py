"""List recipes, show a stage, write a new recipe: python tools/configs.py ls|show|new|check [options]."""
from mmcluster.cli.configs import main

if __name__ == '__main__':
    main()
