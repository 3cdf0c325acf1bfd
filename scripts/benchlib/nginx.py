# SPDX-License-Identifier: MIT
"""Measures the CPU that nginx takes per request when it proxies bodies of 1 MiB through buffers of
64 KiB."""

import os
import re
import shutil
import subprocess
import tempfile

from benchlib.allocators import BenchError, clean_environment
from benchlib.servers import children, cpu_seconds, free_port, server

CONNECTIONS = 16
BODY = 1024 * 1024
LOAD_TIMEOUT = 30

COMMON = """
daemon off;
master_process on;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log warn;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
  keepalive_requests 1000000;
"""
BACKEND = COMMON + """
  sendfile on;
  server {{ listen 127.0.0.1:{backend}; root {folder}/files; }}
}}
"""
# There is no temporary file. What does not fit the buffers waits at the backend. Otherwise the row
# would measure the file system.
PROXY = COMMON + """
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{proxy};
    location / {{
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering on;
      proxy_buffers 16 64k;
      proxy_buffer_size 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""


def measure(allocators, rounds, seconds, results, say):
    programs = {name: find_program(name) for name in ("nginx", "wrk")}
    samples = {allocator.name: [] for allocator in allocators}
    rates = {allocator.name: [] for allocator in allocators}
    with tempfile.TemporaryDirectory(prefix="bufpool-nginx-") as folder:
        bench = NginxBench(folder, programs, seconds)
        with bench.backend():
            for turn in range(rounds):
                at = turn % len(allocators)
                for allocator in allocators[at:] + allocators[:at]:
                    cost, rate = bench.try_proxy(allocator, say)
                    samples[allocator.name].append(cost)
                    rates[allocator.name].append(rate)
    results.add("nginx/cpu", "us CPU of the proxy's worker per request", samples)
    results.add("requests/s", "requests per second", rates, lower_is_better=False)


def find_program(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin")
    if not path:
        raise BenchError(f"{name} is not installed")
    return path


def start_nginx(program, folder, name, template, variables, ports):
    """Runs the server `name` of `ports` until the block ends."""
    # If root started them, workers would become a user that may not read the folder.
    user = "user root root;" if os.geteuid() == 0 else ""
    config = os.path.join(folder, name + ".conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(template.format(folder=folder, name=name, user=user, **ports))
    command = [program, "-p", folder, "-c", config, "-e", os.path.join(folder, name + ".log")]
    return server(command, variables, ("127.0.0.1", ports[name]),
                  os.path.join(folder, name + ".out"))


def wrk_figures(text):
    """Returns the number of requests that were answered, and how many a second."""
    count = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", text)
    if not count or not rate or "Non-2xx" in text or "Socket errors" in text:
        raise BenchError(f"the load failed: {text.strip()[-300:]}")
    if int(count.group(1)) == 0:
        raise BenchError("not one request was answered")
    return int(count.group(1)), float(rate.group(1))


class NginxBench:
    def __init__(self, folder, programs, seconds):
        self.folder = folder
        self.programs = programs
        self.seconds = seconds
        self.ports = {"backend": free_port(), "proxy": free_port()}
        os.mkdir(os.path.join(folder, "files"))
        with open(os.path.join(folder, "files", "body"), "wb") as file:
            file.write(os.urandom(BODY))

    def start(self, name, template, variables):
        return start_nginx(self.programs["nginx"], self.folder, name, template, variables,
                           self.ports)

    def backend(self):
        return self.start("backend", BACKEND, clean_environment())

    def try_proxy(self, allocator, say):
        try:
            return self.proxy(allocator)
        except (BenchError, OSError, subprocess.TimeoutExpired) as error:
            say(f"FAILED: nginx under {allocator.name}: {error}")
            return None, None

    def proxy(self, allocator):
        """Returns microseconds of the worker's CPU per request, and requests per second."""
        with self.start("proxy", PROXY, allocator.environment()) as master:
            workers = children(master.pid)
            self.load(1)
            before = sum(cpu_seconds(pid) for pid in workers)
            requests, rate = self.load(self.seconds)
            # A worker that has crashed meanwhile has no /proc entry, which is an OSError.
            used = sum(cpu_seconds(pid) for pid in workers) - before
        if not workers:
            raise BenchError("no worker")
        return used / requests * 1e6, rate

    def load(self, seconds):
        url = f"http://127.0.0.1:{self.ports['proxy']}/body"
        command = [self.programs["wrk"], "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
        text = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + LOAD_TIMEOUT
        ).stdout
        return wrk_figures(text)
