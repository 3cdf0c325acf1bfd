# SPDX-License-Identifier: MIT
"""What the tests of the fleet's files share: Prometheus with its node exporter and its
alertmanager. All are children of the test, have free ports and a folder of their own, and are ended
by their numbers."""

import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "cli"))

# pylint: disable=wrong-import-position
from command import BUFPOOL, LIMIT, Skip, environment, until  # noqa: E402

FILES = TOP / "docs" / "fleet"
PROGRAMS = ("promtool", "prometheus", "prometheus-node-exporter", "prometheus-alertmanager",
            "redis-server", "memcached", "nginx")
# Who waits for alerts in a test has no ten minutes. All times of the rules are cut down alike.
SHORT = {r"\[\d+m\]": "[10s]", r"for: \d+m$": "for: 1s"}


def need_programs():
    os.environ["PATH"] += ":/usr/sbin"
    for program in PROGRAMS:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def fetch(url, **parameters):
    if parameters:
        url += "?" + urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        return answer.read().decode()


def answers(url):
    try:
        return bool(fetch(url) or True)
    except OSError:
        return False


def is_open(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT):
            return True
    except OSError:
        return False


def short_rules():
    """The rules with short times. Each kind of time must be there, or nothing would be cut down."""
    text = (FILES / "rules.yml").read_text(encoding="utf-8")
    for long, short in SHORT.items():
        text, times = re.subn(long, short, text, flags=re.MULTILINE)
        assert times >= 5, (long, times)
    assert "for: 1s" in text and "5m]" not in text
    return text


class Fleet:
    """A host with its collector, Prometheus and alertmanager."""

    def __init__(self, path):
        self.path = path
        self.children = []
        self.textfile = path / "textfile" / "bufpool.prom"
        self.textfile.parent.mkdir()
        self.ports = {name: free_port() for name in ("node", "prometheus", "alertmanager")}
        self.url = f"http://127.0.0.1:{self.ports['prometheus']}"
        self.ends = threading.Event()
        self.exports = 0
        self.exporter = threading.Thread(target=self.export_often)

    def __enter__(self):
        self.exporter.start()
        try:
            self.start_collector()
            self.start_prometheus()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.exporter.join()
        for child in reversed(self.children):
            self.stop(child)

    def spawn(self, name, *words, **variables):
        with open(self.path / f"{name}.log", "ab") as log:
            child = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log,
                                     stdin=subprocess.DEVNULL, cwd=self.path,
                                     env=environment(**variables))
        self.children.append(child)
        return child

    def stop(self, child):
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def export_command(self):
        """What the unit runs, with the test's folders in the place of the system's."""
        unit = (FILES / "bufpool-exporter.service").read_text(encoding="utf-8")
        words = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1])
        assert words[0] == "bufpool" and "/var/lib/prometheus/node-exporter/bufpool.prom" in words
        places = {"bufpool": BUFPOOL, "/var/lib/prometheus/node-exporter/bufpool.prom":
                  str(self.textfile), "/var/lib/bufpool/export.counts": str(self.path / "counts")}
        assert places.keys() <= set(words), words
        return [places.get(word, word) for word in words]

    def export_often(self):
        while not self.ends.is_set():
            subprocess.run(self.export_command(), check=True, timeout=LIMIT, env=environment())
            self.exports += 1
            self.ends.wait(0.5)

    def start_collector(self):
        address = f"127.0.0.1:{self.ports['node']}"
        self.spawn("node", "prometheus-node-exporter", "--collector.disable-defaults",
                   "--collector.textfile", f"--collector.textfile.directory={self.textfile.parent}",
                   f"--web.listen-address={address}")
        until(lambda: answers(f"http://{address}/metrics"))

    def start_prometheus(self):
        rules, config = self.path / "rules.yml", self.path / "prometheus.yml"
        rules.write_text(short_rules(), encoding="utf-8")
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [
                {"targets": [f"127.0.0.1:{self.ports['alertmanager']}"]}]}]},
            "scrape_configs": [{"job_name": "node", "static_configs": [
                {"targets": [f"127.0.0.1:{self.ports['node']}"]}]}]}), encoding="utf-8")
        manager = self.path / "alertmanager.yml"
        manager.write_text('{"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}')
        self.spawn("alertmanager", "prometheus-alertmanager", f"--config.file={manager}",
                   f"--storage.path={self.path / 'alerts'}", "--cluster.listen-address=",
                   f"--web.listen-address=127.0.0.1:{self.ports['alertmanager']}")
        self.spawn("prometheus", "prometheus", f"--config.file={config}",
                   f"--storage.tsdb.path={self.path / 'series'}",
                   f"--web.console.templates={FILES / 'consoles'}",
                   f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}")
        until(lambda: answers(f"{self.url}/-/ready"))

    def query(self, expression):
        """The result of an instant query. A wrong expression is an error."""
        answer = json.loads(fetch(f"{self.url}/api/v1/query", query=expression))
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def value(self, expression):
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def samples(self, selector):
        """All samples of each series, as they were scraped."""
        return [[float(value) for _, value in series["values"]]
                for series in self.query(f"{selector}[1h]")]

    def firing(self, command):
        """The alerts about a command that the alertmanager has."""
        url = f"http://127.0.0.1:{self.ports['alertmanager']}/api/v2/alerts"
        found = json.loads(fetch(url, active="true", filter=f'comm="{command}"'))
        return {alert["labels"]["alertname"] for alert in found}
