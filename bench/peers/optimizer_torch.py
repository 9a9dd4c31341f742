"""Updates by Adam alone in PyTorch, with given gradients. `--fused`: its fused kernel; otherwise what it chooses by itself."""

import sys
import time

import torch

from protocol import THREADS, serve

torch.set_num_threads(THREADS)
optimizer = None


def load(shapes):
    global optimizer
    parameters = [torch.nn.Parameter(torch.full(shape, 0.1)) for shape in shapes]
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 0.01)
    optimizer = torch.optim.Adam(parameters, 1e-3, fused=True if "--fused" in sys.argv else None)
    start = time.perf_counter()
    optimizer.step()
    return {"firstStepMs": (time.perf_counter() - start) * 1000}


def run(steps):
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        optimizer.step()
        times.append((time.perf_counter() - start) * 1000)
    return {"ms": times}


serve({"load": load, "run": run}, versions={"torch": torch.__version__})
