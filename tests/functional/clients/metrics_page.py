# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the Prometheus text format 0.0.4: what is not exactly as the format says is an error."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
NUMBER = re.compile(r"(?:[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf)|NaN)\Z")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Metric:
    def __init__(self, name, kind, text):
        self.name, self.kind, self.text = name, kind, text
        self.samples = {}  # (suffix, labels as a sorted tuple) -> value

    def label_names(self):
        return {label for _, labels in self.samples for label, _ in labels}


class Page:
    """All metrics by name. `page["name"]` sums the samples; `page("name", label="x")` those with these labels."""

    def __init__(self, text):
        assert text.endswith("\n"), "the last line has no end"
        self.metrics = {}
        self._metric = self._help = None
        for number, line in enumerate(text[:-1].split("\n"), 1):
            try:
                self._take(line)
            except AssertionError as error:
                raise AssertionError(f"line {number}: {line!r}: {error}") from None
        assert self._help is None, "HELP without TYPE at the end"
        for metric in self.metrics.values():
            if metric.kind == "histogram":
                check_histogram(metric)

    def _take(self, line):
        if line.startswith("# HELP "):
            assert self._help is None, "HELP behind HELP"
            name, _, text = line[7:].partition(" ")
            assert NAME.match(name) and text, "no name or no text"
            unescape(text, "\\n")
            self._help = (name, text)
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            assert self._help and self._help[0] == name, "TYPE without its HELP before it"
            assert kind in SUFFIXES, "unknown type"
            assert name not in self.metrics, "a metric in two places"
            self._metric = self.metrics[name] = Metric(name, kind, self._help[1])
            self._help = None
        else:
            assert self._help is None, "a sample between HELP and TYPE"
            assert self._metric, "a sample before any metric"
            self._sample(line)

    def _sample(self, line):
        name = re.match(r"[^{ ]*", line).group()
        metric = self._metric
        suffix = name[len(metric.name):]
        assert name.startswith(metric.name) and suffix in SUFFIXES[metric.kind], "a sample of another metric"
        labels, rest = read_labels(line[len(name):])
        assert rest.startswith(" ") and NUMBER.match(rest[1:]), "no value, or something behind it"
        key = (suffix, tuple(sorted(labels)))
        assert key not in metric.samples, "the same series twice"
        value = float(rest[1:])
        assert metric.kind != "counter" or value >= 0, "a counter below 0"
        metric.samples[key] = value

    def __call__(self, name, suffix="", **labels):
        return sum(value for (found, pairs), value in self.metrics[name].samples.items()
                   if found == suffix and labels.items() <= dict(pairs).items())

    def __getitem__(self, name):
        return self(name)

    def series(self):
        return {(metric.name + suffix, labels): value for metric in self.metrics.values()
                for (suffix, labels), value in metric.samples.items()}


def unescape(text, allowed):
    """`allowed`: what may stand behind a backslash besides another one."""
    plain, place = "", 0
    while place < len(text):
        if text[place] == "\\":
            assert text[place + 1:place + 2] in tuple("\\n" + allowed), "an escape that is none"
            plain += {"n": "\n"}.get(text[place + 1], text[place + 1])
            place += 2
        else:
            plain += text[place]
            place += 1
    return plain


def read_labels(text):
    if not text.startswith("{"):
        return [], text
    labels, place = [], 1
    while True:
        found = re.compile(r'([^="{},]*)="((?:[^"\\]|\\.)*)"').match(text, place)
        assert found and LABEL.match(found.group(1)), "a label that is none"
        assert found.group(1) not in dict(labels), "a label twice"
        labels.append((found.group(1), unescape(found.group(2), '"')))
        place = found.end()
        if text.startswith("}", place):
            return labels, text[place + 1:]
        assert text.startswith(",", place), "no comma between labels"
        place += 1


def check_histogram(metric):
    """Bounds rise, counts never fall, +Inf is the count, each series has a sum."""
    series = {}
    for (suffix, labels), value in metric.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        if suffix == "_bucket":
            series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
    for rest, buckets in series.items():
        assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), metric.name
        assert buckets[-1] == (float("inf"), metric.samples[("_count", rest)]), metric.name
        assert ("_sum", rest) in metric.samples, metric.name
    counts = {labels for suffix, labels in metric.samples if suffix == "_count"}
    assert counts == set(series), metric.name
