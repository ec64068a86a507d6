"""What the peers share: their arguments, the clock, and the row that they print (one JSON object a line)."""

import argparse
import itertools
import json
import os
import statistics
import time

UNDISTURBED = 0.1
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.01, 0.9, 1e-4


def arguments(about, settings):
    def words(text):
        return text.split(",")

    def numbers(text):
        return [int(word) for word in words(text)]

    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--model", default="resnet20", help="PyTorch only: also a ResNet or VGG-16 of torchvision's")
    parser.add_argument("--resolution", type=int, default=224, help="of photographs, for torchvision's models")
    parser.add_argument("--batch", type=numbers, default=[2, 4, 8, 32, 128])
    parser.add_argument("--normalizer", type=words, default=["batch", "group"], help="batch, group, none")
    parser.add_argument("--precision", type=words, default=["float32"], help="float32, bfloat16")
    parser.add_argument("--setting", type=words, default=settings, help=", ".join(settings))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--interop", type=int, default=1, help="Keras only: inter-op threads")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--attempts", type=int, default=4, help="at a measurement that is not disturbed")
    return parser.parse_args()


def busy_seconds():
    """CPU seconds that the machine has spent outside of this process since it started; 0 where there is no /proc."""
    try:
        with open("/proc/stat") as stat:
            user, nice, system, _idle, _wait, interrupt, soft, steal, *_ = map(
                int, stat.readline().split()[1:]
            )
    except OSError:
        return 0.0
    all_seconds = (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")
    own = os.times()
    return all_seconds - own.user - own.system


def repeat(step, least):
    """The milliseconds of each step; as with gnbench, at least a second of them."""
    times, end = [], time.perf_counter() + 1
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1000)
    return times


def measure(step, warmup, steps, most):
    """Times `step()`, which returns the loss as a number: median and quartiles in milliseconds, and the disturbance,
    how many cores other processes kept busy meanwhile. What was disturbed is measured again, up to `most` times."""
    step()  # compiles, where something is compiled
    repeat(step, warmup)
    attempts = []
    while len(attempts) < most and not (attempts and attempts[-1][0] <= UNDISTURBED):
        began, busy = time.perf_counter(), busy_seconds()
        times = repeat(step, steps)
        disturbance = max(0, (busy_seconds() - busy) / (time.perf_counter() - began))
        attempts.append((round(disturbance, 2), times))
    disturbance, times = min(attempts)
    q1, median, q3 = statistics.quantiles(times, n=4)
    return {"median": round(median, 3), "q1": round(q1, 3), "q3": round(q3, 3)}, disturbance


def report(options, make_step, **constant):
    """Measures every combination that was asked for. `make_step(setting, normalizer, batch, precision)` gives a step
    and the number of its parameters."""
    choices = itertools.product(options.setting, options.precision, options.normalizer, options.batch)
    for setting, precision, normalizer, batch in choices:
        step, parameters = make_step(setting, normalizer, batch, precision)
        step_ms, disturbance = measure(step, options.warmup, options.steps, options.attempts)
        row = {
            **constant,
            "setting": setting,
            "normalizer": normalizer,
            "batch": batch,
            "parameters": parameters,
            "precision": precision,
            "threads": options.threads,
            "imagesPerSecond": round(batch / step_ms["median"] * 1000, 1),
            "stepMs": step_ms,
            "disturbance": disturbance,
        }
        print(json.dumps(row), flush=True)
