"""Parse the command line and run a sub-command; importing this costs nothing, so that --help is there at once."""
from __future__ import annotations

import argparse
import sys
from typing import Optional, Sequence

from mmcluster.checks import near
from mmcluster.command_line import AnyOrder
from mmcluster.version import __version__

from . import assign, cluster, configs, experiment, export, features, models, report, test, train
from .errors import exit_code

COMMANDS = {module.__name__.rpartition('.')[2]: module
            for module in (cluster, assign, report, export, features, models, configs, experiment, train, test)}


class Help(argparse.RawDescriptionHelpFormatter):
    """Help that fits a console of 80 columns, option and text in one line."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    whole = argparse.ArgumentParser('mmcluster', description='Deep clustering of images.', formatter_class=Help)
    whole.add_argument('--version', action='version', version=__version__)
    commands = whole.add_subparsers(title='commands', dest='command', metavar='COMMAND', required=True,
                                     parser_class=AnyOrder)
    for name, module in COMMANDS.items():
        text = (module.__doc__ or name).strip()
        # short usage: all options in one line would fill half the screen
        each = commands.add_parser(name, help=text.splitlines()[0], description=getattr(module, 'DESCRIPTION', text),
                                   epilog=getattr(module, 'EXAMPLES', None), formatter_class=Help,
                                   usage=getattr(module, 'USAGE', None))
        module.add_arguments(each)
        each.set_defaults(parser=each)
    return whole


def _unknown(of: argparse.ArgumentParser, unknown: Sequence[str]) -> str:
    """What to say of arguments that a command does not have; argparse would show the usage of no command."""
    known = [option for action in of._actions for option in action.option_strings if option.startswith('--')]
    said = ', '.join(text + (near(text.partition('=')[0], known) if text.startswith('--') else '') for text in unknown)
    return f'unrecognized arguments: {said}; {of.prog} --help lists all'


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit code, see :mod:`mmcluster.cli.errors`.
    """
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        args.parser.error(_unknown(args.parser, unknown))
    try:
        COMMANDS[args.command].run(args)
        sys.stdout.flush()      # here an error of it is caught
    except (Exception, KeyboardInterrupt) as error:
        return exit_code(error)
    finally:
        sys.stdout.flush()
    return 0
