# SPDX-License-Identifier: Apache-2.0
"""Figures by name, with what the rounds gave; tables of them; and the bars (bars.json) held against them."""
import json
import pathlib
import statistics
import sys

BARS = pathlib.Path(__file__).resolve().parent.parent / "bars.json"


def shown(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


class Report:
    def __init__(self, against=None):
        self.figures = {}
        self.against = against  # the peer that is another revision of ours

    def add(self, name, values, unit):
        """`values`: one per round, or a single figure. Returns the median."""
        values = list(values) if isinstance(values, (list, tuple)) else [values]
        self.add_spread(name, min(values), statistics.median(values), max(values), len(values), unit)
        self.figures[name]["values"] = values
        return self.figures[name]["median"]

    def add_spread(self, name, minimum, median, maximum, rounds, unit):
        self.figures[name] = {"median": median, "minimum": minimum, "maximum": maximum, "rounds": rounds, "unit": unit}

    def median(self, name):
        return self.figures[name]["median"] if name in self.figures else None

    def compare(self, name, rounds, unit, floor="floor"):
        """`rounds`: {peer: [a value per round]}. Adds NAME.PEER and, paired by round, NAME.PEER.ratio; prints both."""
        self.line(f"{name} ({unit})", "minimum", "median", "maximum", f"ratio to {floor}", "from", "to")
        for peer, values in rounds.items():
            self.add(f"{name}.{peer}", values, unit)
            cells = [shown(min(values)), shown(statistics.median(values)), shown(max(values))]
            if floor in rounds and peer != floor:
                pairs = [value / base for value, base in zip(values, rounds[floor])]
                self.add(f"{name}.{peer}.ratio", pairs, f"x {floor}")
                cells += [shown(statistics.median(pairs)), shown(min(pairs)), shown(max(pairs))]
            self.line("  " + peer, *cells)
        if "host" in rounds and self.against in rounds:
            pairs = [ours / theirs for ours, theirs in zip(rounds["host"], rounds[self.against])]
            self.add(f"{name}.host.against", pairs, f"x {self.against}")
            self.line(f"  host over {self.against}, by round",
                      *(shown(value) for value in (min(pairs), statistics.median(pairs), max(pairs))))

    def single(self, name, value, unit):
        """A figure that does not move."""
        self.add(name, value, unit)
        self.line(f"  {name}", f"{shown(value)} {unit}")

    def line(self, first, *cells):
        progress("")
        width = 44 if len(cells) > 1 or not cells else 52
        print((f"{first:{width}} " + "".join(f"{cell:>16}" for cell in cells)).rstrip(), flush=True)

    def bars(self, scenarios):
        """Prints the one table; returns how many bars were missed. `scenarios`: those that ran."""
        rows, missed = [], 0
        for bar in json.loads(BARS.read_text()):
            figure = self.median(bar["figure"])
            if bar["scenario"] not in scenarios:
                continue
            at_most = "at_most" in bar
            limit = bar["at_most"] if at_most else bar["at_least"]
            if figure is None:
                verdict = "not measured"
            else:
                verdict = "met" if (figure <= limit if at_most else figure >= limit) else "MISSED"
            missed += verdict != "met"
            unit = "" if bar["unit"] == "ratio" else " " + bar["unit"]
            rows.append((bar["name"], f"{'<=' if at_most else '>='} {shown(limit)}{unit}",
                         shown(figure) + self._spread(bar["figure"]), verdict))
        if rows:
            progress("")
            print(f"\n{'bar':74}{'limit':>28}{'figure (from to)':>28}   verdict")
            for name, limit, figure, verdict in rows:
                print(f"{name:74}{limit:>28}{figure:>28}   {verdict}")
            print(f"{len(rows) - missed} met, {missed} missed or not measured", flush=True)
        return missed

    def _spread(self, name):
        figure = self.figures.get(name)
        if not figure or figure["rounds"] < 2:
            return ""
        return f" ({shown(figure['minimum'])} {shown(figure['maximum'])})"

    def write(self, path, facts):
        text = json.dumps({**facts, "figures": self.figures}, indent=1)
        pathlib.Path(path).write_text(text + "\n")


def progress(text):
    """One line that is written over; nothing where nobody looks at a terminal but the text itself."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
    elif text:
        sys.stderr.write(text + "\n")
    sys.stderr.flush()
