"""What every Python peer of the benchmark shares: a process that stays alive and answers JSON lines.

The parent writes one command a line on standard input, `{"do": "<name>", ...}`; the peer answers each with one line of JSON on
standard output: the handler's result, or `{"error": "<text>"}`. The first line, sent unasked, is `{"ready": true, ...}`.
Whatever a framework prints goes to standard error, so that it cannot break the protocol.
"""

import json
import os
import sys
import time

THREADS = int(os.environ.get("BENCH_THREADS", "2"))

_answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def answer(message):
    """Sends one line to the parent."""
    _answers.write(json.dumps(message) + "\n")
    _answers.flush()


def serve(handlers, **ready):
    """Answers commands with `handlers[do](**arguments)` until standard input ends."""
    answer({"ready": True, "python": sys.version.split()[0], **ready})
    for line in sys.stdin:
        command = json.loads(line)
        handler = handlers.get(command.pop("do"))
        try:
            if handler is None:
                raise ValueError("unknown command; known: " + ", ".join(handlers))
            answer(handler(**command))
        except Exception as error:  # the parent reports it and goes on with the other peers
            answer({"error": f"{type(error).__name__}: {error}"[:2000]})


def serve_steps(build, **ready):
    """Serves training steps: `build(model)` returns a function that runs one step and returns its loss as a float."""
    state = {}

    def load(model):
        state["step"] = build(model)
        start = time.perf_counter()
        loss = state["step"]()
        return {"firstStepMs": (time.perf_counter() - start) * 1e3, "loss": loss}

    def run(steps):
        step, times, loss = state["step"], [], 0.0
        for _ in range(steps):
            start = time.perf_counter()
            loss = step()
            times.append((time.perf_counter() - start) * 1e3)
        return {"ms": times, "loss": loss}

    serve({"load": load, "run": run}, **ready)
