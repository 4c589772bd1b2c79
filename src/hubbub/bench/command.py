"""The command `hubbub bench`: options in, a report and an exit status out."""

from __future__ import annotations

import json
import sys

from hubbub.bench import load, report
from hubbub.bench.options import BadOptionError, BenchOptions, check, read_tokens
from hubbub.bench.server import ServerError, own_server

__all__ = ["BenchOptions", "run_bench"]

GOOD = 0
FAULTS = 1
UNUSABLE = 2


def run_bench(options: BenchOptions) -> int:
    """Measure and print. 0: all was well; 1: a fault was found or the load could not be run; 2: options that cannot be used.

    The report goes to the standard output, what goes on and what is wrong to the standard error.
    """
    try:
        check(options)
        result = _measure(options)
    except BadOptionError as error:
        _say(str(error))
        return UNUSABLE
    except (load.LoadError, ServerError) as error:
        _say(str(error))
        return FAULTS
    except KeyboardInterrupt:
        _say("stopped before it was done")
        return FAULTS
    if options.json:
        print(json.dumps(report.as_json(result), indent=2, ensure_ascii=False))
    else:
        print(report.text(result))
    for line in report.faults(result):
        _say(line)
    return FAULTS if result.findings else GOOD


def _measure(options: BenchOptions) -> load.Result:
    if options.url is not None:
        tokens = read_tokens(options.tokens) if options.tokens is not None else []
        return load.run(options, options.url, tokens, options.server_pid, _say)
    load.allow_open_files(options.connections)
    _say("starting a server of its own")
    with own_server(options.connections) as server:
        return load.run(options, server.url, server.tokens, server.pid, _say)


def _say(line: str) -> None:
    print(f"hubbub bench: {line}", file=sys.stderr, flush=True)
