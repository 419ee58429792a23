"""`python -m infra.images build`: see --help."""

from __future__ import annotations

import argparse
import sys

from adloom.errors import ConfigurationError
from infra.deployment.stackfile import read_functions
from infra.images import engine
from infra.images.build import STAGES, build
from infra.images.context import write_function
from infra.images.engine import EngineError


def main(arguments: list[str]) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "context":
            for function in read_functions():
                print(write_function(function))
            return 0
        build(
            engine.find(chosen.engine),
            only=chosen.only,
            prefix=chosen.prefix,
            stage=chosen.stage,
            stand_ins=chosen.stand_ins,
            push=chosen.push,
        )
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    except ConfigurationError as error:
        print(error.detail, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build every function of stack.yml, the services and MinIO")
    building.add_argument("--engine", default="", choices=("", *engine.ENGINES), help="default: the first that answers")
    building.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="one image; may be given often; stand-ins for none"
    )
    building.add_argument("--stage", default="app", choices=STAGES, help="of the functions; openfaas adds the watchdog")
    building.add_argument("--prefix", default="", help="instead of adloom, such as 127.0.0.1:5000/adloom")
    building.add_argument(
        "--push", action="store_true", help="push each image to the registry that its name begins with"
    )
    building.add_argument(
        "--stand-ins",
        action="store_true",
        help="for tests: make the base images with debootstrap instead of fetching them",
    )
    commands.add_parser("context", help="write the functions' build contexts and nothing else")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
