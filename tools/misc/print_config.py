"""Print a config with all its bases merged: python tools/misc/print_config.py CONFIG [--cfg-options ...]."""
from __future__ import annotations

import argparse

from mmengine.config import Config, DictAction

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    cfg = Config.fromfile(args.config, lazy_import=False)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    print(cfg.pretty_text)
