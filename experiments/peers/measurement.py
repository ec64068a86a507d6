"""What the peers share: their arguments, the clock, and the row that they print (one JSON object a line)."""

import argparse
import json
import statistics
import time

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.01, 0.9, 1e-4


def arguments(about, settings):
    def words(text):
        return text.split(",")

    def numbers(text):
        return [int(word) for word in words(text)]

    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--batch", type=numbers, default=[2, 4, 8, 32, 128])
    parser.add_argument("--normalizer", type=words, default=["batch", "group"], help="batch, group, none")
    parser.add_argument("--precision", type=words, default=["float32"], help="float32, bfloat16")
    parser.add_argument("--setting", type=words, default=settings, help=", ".join(settings))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=10)
    return parser.parse_args()


def measure(step, warmup, steps):
    """Median and quartiles of the milliseconds that `step()`, which returns the loss as a number, takes."""
    for _ in range(warmup):
        step()
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1000)
    q1, median, q3 = statistics.quantiles(times, n=4)
    return {"median": round(median, 3), "q1": round(q1, 3), "q3": round(q3, 3)}


def report(options, make_step, **constant):
    """Measures every combination that was asked for. `make_step(setting, normalizer, batch, precision)` gives a step."""
    for setting in options.setting:
        for precision in options.precision:
            for normalizer in options.normalizer:
                for batch in options.batch:
                    step_ms = measure(
                        make_step(setting, normalizer, batch, precision), options.warmup, options.steps
                    )
                    row = {
                        "normalizer": normalizer,
                        "batch": batch,
                        "precision": precision,
                        "threads": options.threads,
                        "imagesPerSecond": round(batch / step_ms["median"] * 1000, 1),
                        "stepMs": step_ms,
                    }
                    print(json.dumps({**constant, "setting": setting, **row}), flush=True)
