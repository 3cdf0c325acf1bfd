#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: the files of docs/fleet do what they are for. Debian's Prometheus sees three servers
through `bufpool export` and the node exporter. An alert fires when a pool starves, and clears when
the advice is followed. A restart makes no false rate. The console page and the dashboard show what
there is."""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess

from fleet import FILES, LIMIT, Fleet, fetch, need_programs, short_rules
import browser
from command import folder, main, report_of, run, totals, until
from servers import Memcached, Nginx, Redis

HERE = pathlib.Path(__file__).resolve().parent
ADVICE = r"set BUFPOOL_MAX_BUFFERS=(\d+) for no limit, or to more"
EXPORTS_TO_AN_END = 6
VARIABLES = {"$instance": ".*", "$unit": ".*", "$comm": ".*"}


def promtool(*words, **more):
    done = subprocess.run(["promtool", *words], text=True, capture_output=True, timeout=LIMIT,
                          check=False, **more)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done


def test_rules():
    need_programs()
    with folder() as path:
        shutil.copy(FILES / "rules.yml", path)
        shutil.copy(HERE / "rules_test.yml", path)
        (path / "short.yml").write_text(short_rules(), encoding="utf-8")
        for name in ("rules.yml", "short.yml"):
            promtool("check", "rules", str(path / name))
        promtool("test", "rules", "rules_test.yml", cwd=path)
    alerts = re.findall(r"- alert: (\w+)", (FILES / "rules.yml").read_text(encoding="utf-8"))
    tested = (HERE / "rules_test.yml").read_text(encoding="utf-8")
    for alert in alerts:
        assert f"alertname: {alert}\n" in tested, f"no test of {alert}"


def see_all(fleet, servers):
    for server in servers:
        until(lambda of=server: fleet.value(
            f'sum(bufpool_class_gets_total{{comm="{of.command}"}}) > 0'))
        assert fleet.value(f'bufpool_processes{{comm="{server.command}"}}') == 1
    assert fleet.value("node_textfile_scrape_error") == 0
    text = fleet.textfile.read_text(encoding="utf-8")
    done = promtool("check", "metrics", input=text)
    assert not done.stdout + done.stderr, done
    assert "pid=" not in text


def starve_and_mend(fleet, redis):
    """The alert fires and clears. Returns how many gets the first process counted at least."""
    until(lambda: "BufpoolFallbacks" in fleet.firing(redis.command))
    advised = run("advise", redis.child.pid).stdout
    assert re.search(ADVICE, advised), advised
    gets = totals(report_of(redis.child.pid), "gets")
    until(lambda done=fleet.exports: fleet.exports > done + 1)
    redis.restart(MAX_BUFFERS=re.search(ADVICE, advised)[1])
    of = f'{{comm="{redis.command}"}}'
    until(lambda: fleet.value(f"bufpool:fallbacks:rate5m{of} == 0 and bufpool:gets:rate5m{of} > 0")
          is not None)
    until(lambda: "BufpoolFallbacks" not in fleet.firing(redis.command))
    assert totals(report_of(redis.child.pid), "fallbacks") == 0
    return gets


def restarts_make_no_false_rate(fleet, redis, gets_before):
    of = f'{{comm="{redis.command}"}}'
    until(lambda done=fleet.exports: fleet.exports > done + EXPORTS_TO_AN_END)
    until(lambda: fleet.value(f"bufpool_ended_processes_total{of}") == 1)
    for name in ("class_gets", "class_misses", "class_puts", "class_fallbacks", "cpu_time_seconds"):
        for values in fleet.samples(f"bufpool_{name}_total{of}"):
            assert values == sorted(values), (name, values)
    total = fleet.value(f"sum(bufpool_class_gets_total{of})")
    assert gets_before < total, (gets_before, total)


def expressions(page):
    return [expression for panel in page["panels"] for expression in
            (target["expr"] for target in panel["targets"])]


def dashboard_shows(fleet, redis):
    page = json.loads((FILES / "grafana.json").read_text(encoding="utf-8"))
    assert page["schemaVersion"] >= 36 and page["templating"]["list"]
    for expression in expressions(page):
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        assert "$" not in expression, expression
        result = fleet.query(expression)
        assert result or " > 0" in expression, f"nothing to show: {expression}"
    for variable in page["templating"]["list"][1:]:
        name = re.match(r"label_values\(bufpool_processes, (\w+)\)", variable["definition"])[1]
        assert fleet.query(f"count by ({name}) (bufpool_processes)"), name
    assert redis.command in {row["metric"]["comm"] for row in fleet.query("bufpool_processes")}


def console_shows(fleet, servers):
    page = fetch(f"{fleet.url}/consoles/bufpool.html")
    assert "<html" in page and "error" not in page.lower(), page
    for server in servers:
        row = page[page.index(f">{server.command}</a>"):].split("<tr>")[0]
        shown = html.unescape(re.sub("<[^>]*>", " ", row)).split()
        # A server that asks for nothing at the moment has no hit rate.
        assert shown.count("-") <= (0 if "%" in " ".join(shown) else 1), shown
        link = html.unescape(re.search(rf'href="([^"]*comm={server.command}[^"]*)"', page)[1])
        classes = fetch(f"{fleet.url}/consoles/{link}")
        assert server.command in classes and classes.count("<tr><td>") > 3, classes
    render(f"{fleet.url}/consoles/bufpool.html", servers[0].command)
    render(f"{fleet.url}/consoles/{link}", server.command)
    queries = re.findall(r'href="([^"]*/graph[^"]*)"', page)
    assert queries and all("g0.expr=" in html.unescape(query) for query in queries)


def render(address, word):
    """Lets a browser show the page, if there is one. It has nothing to complain of."""
    path = browser.program()
    if path is None:
        return
    with browser.Browser(path) as shown:
        for width in (400, 1600):
            for is_dark in (False, True):
                shown.open(address, width, is_dark)
                assert word in shown.value("document.body.innerText")
                assert shown.value("document.documentElement.scrollWidth") <= width, address
                for trouble in ("Log.entryAdded", "Runtime.exceptionThrown",
                                "Runtime.consoleAPICalled", "Network.loadingFailed"):
                    assert not shown.heard(trouble), (address, shown.heard(trouble))
        if "BUFPOOL_KEEP_PICTURES" in os.environ:
            picture = pathlib.Path(os.environ["BUFPOOL_KEEP_PICTURES"]) / f"console-{word}.png"
            picture.write_bytes(shown.screenshot())


def test_fleet():
    need_programs()
    with folder() as path, Fleet(path) as fleet:
        servers = [Redis(fleet, "redis-server"), Memcached(fleet, "memcached"),
                   Nginx(fleet, "nginx")]
        servers[0].start(MAX_BUFFERS=10)
        for server in servers[1:]:
            server.start()
        see_all(fleet, servers)
        gets = starve_and_mend(fleet, servers[0])
        restarts_make_no_false_rate(fleet, servers[0], gets)
        dashboard_shows(fleet, servers[0])
        console_shows(fleet, servers)


main(globals())
