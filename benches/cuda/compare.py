"""minimax against PyTorch on one CUDA device, row by row and in turns: ours, PyTorch eager, PyTorch captured in a graph,
ours again, ... Both sides stay open, so that each is warm; while one is timed the other waits. A row's ratios are
those of the rounds: what the machine does meanwhile meets both.

    python3 benches/cuda/compare.py --ours "$(tests/gpu.sh --which bench)" --rows '^step'
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SIDES = [("ours", "graph"), ("ours", "launches"), ("pytorch", "launches"), ("pytorch", "graph")]
# Seconds for a timing as a share of --seconds, and rounds, where it isn't all of them.
SHARES = {"step": 1.0, "epoch": 1.0, "gemm": 0.5}
ONCE = ("epoch", "ladder")


class Side:
    """A program that answers lines of JSON."""

    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.device = self.read().get("device")

    def read(self) -> dict:
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "it has ended"}

    def ask(self, request: dict) -> dict:
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


class Comparison:
    def __init__(self, asked, rows: list[dict], sides: dict[str, Side], log):
        self.asked, self.rows, self.sides, self.log = asked, rows, sides, log
        self.until = time.monotonic() + asked.budget
        self.errors, self.left_out, self.lines = [], [], []

    def note(self, line: dict):
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()

    def run(self):
        for row in self.rows:
            for precision in row["precisions"]:
                if self.asked.precision in ("both", precision):
                    if time.monotonic() > self.until:
                        self.left_out.append(f"{row['row']} {precision}")
                    else:
                        self.lines.append(self.compare(row, precision))
                        self.note(self.lines[-1])
                        print("  " + ", ".join(f"{k} {v}" for k, v in self.lines[-1].items() if v), file=sys.stderr)

    def compare(self, row: dict, precision: str) -> dict:
        kind = row["spec"]["kind"]
        seconds = self.asked.seconds * SHARES.get(kind, 0.1)
        ways = [(side, how) for side, how in SIDES if how in row["ways"] and side in self.sides]
        if kind == "ladder":
            ways = [("ours", "graph")]
        rounds = 1 if kind in ONCE else self.asked.rounds
        times = {way: [] for way in ways}
        ours = {}
        layout = None
        for _ in range(rounds):
            for way in list(ways):
                request = {"row": row["row"], "precision": precision, "how": way[1], "seconds": seconds}
                if way[0] == "pytorch":
                    request["spec"] = row["spec"]
                answer = self.sides[way[0]].ask(request)
                self.note({"timing": answer})
                if "error" in answer:
                    # Graphs of PyTorch's are missing on a processor; anything else is worth knowing.
                    if "no CUDA graphs" not in answer["error"]:
                        self.errors.append(f"{row['row']} {precision} {'/'.join(way)}: {answer['error']}")
                    ways.remove(way)
                    continue
                times[way].append(answer["ms"])
                layout = answer.get("layout") or layout
                if way == ("ours", "graph"):
                    ours = answer
        return self.line(row, precision, times, ours, layout)

    def line(self, row: dict, precision: str, times: dict, ours: dict, layout) -> dict:
        line = {"row": row["row"], "kind": row["spec"]["kind"], "precision": precision}
        for (side, how), all_ms in times.items():
            if all_ms:
                line[f"{side}_{how}_ms"] = statistics.median(all_ms)
        best = ("ours", "graph") if times.get(("ours", "graph")) else ("ours", "launches")
        for how in ("launches", "graph"):
            pairs = list(zip(times.get(("pytorch", how), []), times.get(best, [])))
            if pairs:
                ratios = sorted(theirs / mine for theirs, mine in pairs)
                line[f"ratio_{how}"] = [ratios[0], statistics.median(ratios), ratios[-1]]
        ms = line.get(f"ours_{best[1]}_ms")
        if row["flops"] and ms:
            line["ours_tflops"] = row["flops"] / ms / 1e9
        line |= {key: ours[key] for key in ("ms_waited", "ms_replayed", "idle_share", "mib") if key in ours}
        if "t4_seconds" in row["spec"] and ms:
            line["t4_ratio"] = 1e3 * row["spec"]["t4_seconds"] / ms
        return line | {"layout": layout}

    def share_of_cublas(self, line: dict) -> str:
        """Of a product: cuBLAS's time, as PyTorch's graph has it, over ours; of a ladder's, by the row of that size."""
        size = re.match(r"(?:ladder )?gemm (\d+)", line["row"])
        if not size:
            return ""
        of = [o for o in self.lines if o["row"] == f"gemm {size[1]}" and o["precision"] == line["precision"]]
        theirs = of[0].get("pytorch_graph_ms") if of else None
        return f"{100 * theirs / line['ours_graph_ms']:.0f}%" if theirs and "ours_graph_ms" in line else ""

    def summary(self) -> str:
        """A line: how far each kind of row is, at the worst and at best."""
        parts = [f"{len(self.lines)} rows, {len(self.errors)} errors, {len(self.left_out)} left out for want of time"]
        for kind in dict.fromkeys(line["kind"] for line in self.lines):
            ratios = [line["ratio_graph"][1] for line in self.lines if line["kind"] == kind and "ratio_graph" in line]
            if ratios:
                parts.append(f"{kind} {min(ratios):.2f} to {max(ratios):.2f}")
        return "; PyTorch's graph over ours: ".join([parts[0], ", ".join(parts[1:])]) if parts[1:] else parts[0]

    def table(self) -> str:
        heads = ["row", "precision", "ours ms", "ours by launch", "PyTorch eager", "PyTorch graph", "eager / ours"]
        heads += ["graph / ours", "TFLOP/s", "of cuBLAS", "besides"]
        out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        for line in self.lines:
            ms = [line.get(key) for key in ("ours_graph_ms", "ours_launches_ms")]
            ms += [line.get(key) for key in ("pytorch_launches_ms", "pytorch_graph_ms")]
            cells = [line["row"], line["precision"], *("" if v is None else f"{v:.4g}" for v in ms)]
            for how in ("launches", "graph"):
                ratio = line.get(f"ratio_{how}")
                cells.append(f"{ratio[1]:.2f} ({ratio[0]:.2f} to {ratio[2]:.2f})" if ratio else "")
            cells.append(f"{line['ours_tflops']:.1f}" if "ours_tflops" in line else "")
            cells.append(self.share_of_cublas(line))
            besides = []
            if "idle_share" in line:
                besides.append(f"idle {100 * line['idle_share']:.1f}% ({line['ms_waited']:.4g} ms if waited for)")
            if "mib" in line:
                besides.append(f"{line['mib']:.0f} MiB")
            if "t4_ratio" in line:
                besides.append(f"{line['t4_ratio']:.0f} times the report's T4")
            if line["layout"]:
                besides.append(f"PyTorch {line['layout']}")
            out.append("| " + " | ".join([*cells, ", ".join(besides)]) + " |")
        return "\n".join(out)


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", required=True, help="the program of `cargo bench --bench cuda`")
    parser.add_argument("--rows", default="", metavar="REGEX")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it all out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.2, help="for a timing of a step; of an op a tenth")
    parser.add_argument("--precision", choices=["f32", "tf32", "both"], default="both")
    parser.add_argument("--budget", type=float, default=1e9, help="after so many seconds no further row is begun")
    parser.add_argument("--no-pytorch", action="store_true")
    parser.add_argument("--out", default=".", metavar="DIR", help="where speed.jsonl and speed.md go")
    return parser.parse_args()


def main():
    asked = options()
    out = pathlib.Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    flags = ["--quick"] if asked.quick else []
    listed = subprocess.run([asked.ours, "--list", "--rows", asked.rows, *flags], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    sides = {"ours": Side([asked.ours, "--serve", *flags])}
    if not asked.no_pytorch:
        sides["pytorch"] = Side([sys.executable, str(HERE / "pytorch.py")])
    missing = [name for name, side in sides.items() if not side.device]
    for name in missing:
        print(f"{name}: the program does not start", file=sys.stderr)
        del sides[name]
    with open(out / "speed.jsonl", "w") as log:
        comparison = Comparison(asked, rows, sides, log)
        if "ours" in sides:
            comparison.note({name: side.device for name, side in sides.items()})
            comparison.run()
            for side in sides.values():
                side.close()
    devices = "; ".join(f"{name}: {side.device}" for name, side in sides.items())
    text = [devices, "", comparison.table(), ""]
    text += [f"error: {error}" for error in comparison.errors]
    if comparison.left_out:
        text.append(f"not timed, for want of time: {', '.join(comparison.left_out)}")
    (out / "speed.md").write_text("\n".join(text) + "\n")
    print("\n".join(text))
    print(comparison.summary())
    sys.exit(bool(comparison.errors or "ours" in missing or not comparison.lines))


main()
