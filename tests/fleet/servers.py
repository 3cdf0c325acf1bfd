# SPDX-License-Identifier: MIT
"""Servers under the pool, each with a command that no other process of the machine has, and clients
that ask them for something as long as the test goes."""

import os
import shutil
import socket
import threading
import time

from command import BUFPOOL, LIMIT, until
from fleet import free_port, is_open

VALUE = b"v" * 65_536
KEYS = 100


class Server:
    """A server, and a client that goes on when the server is restarted."""

    def __init__(self, fleet, program):
        self.fleet = fleet
        self.port = free_port()
        self.command = f"{program[:6]}-{os.getpid()}"
        self.program = fleet.path / self.command
        self.program.symlink_to(shutil.which(program))
        self.child = None
        self.answered = 0
        self.asked = 0
        self.client = threading.Thread(target=self.ask_often)

    def words(self):
        raise NotImplementedError

    def ask(self, connection, number):
        raise NotImplementedError

    def start(self, **settings):
        sets = [word for key, value in settings.items() for word in ("-s", f"{key}={value}")]
        self.child = self.fleet.spawn(self.command, BUFPOOL, "run", *sets, "--", self.program,
                                      *self.words())
        until(lambda: self.child.poll() is not None or is_open(self.port))
        assert self.child.poll() is None, (self.command, "does not come up")
        if not self.client.is_alive():
            self.client.start()

    def restart(self, **settings):
        self.fleet.stop(self.child)
        self.start(**settings)

    def ask_often(self):
        while not self.fleet.ends.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as one:
                    while not self.fleet.ends.is_set():
                        self.ask(one, self.asked)
                        self.asked += 1
                        time.sleep(0.005)
            except OSError:
                time.sleep(0.05)


def read_until(connection, end):
    answer = b""
    while not answer.endswith(end):
        part = connection.recv(65_536)
        if not part:
            raise ConnectionResetError
        answer += part
    return answer


class Redis(Server):
    def words(self):
        return ("--port", self.port, "--save", "", "--bind", "127.0.0.1", "--daemonize", "no")

    def ask(self, connection, number):
        key = b"key%d" % (number % KEYS)
        connection.sendall(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" %
                           (len(key), key, len(VALUE), VALUE))
        assert read_until(connection, b"\r\n") == b"+OK\r\n"


class Memcached(Server):
    def words(self):
        user = ("-u", "root") if os.geteuid() == 0 else ()
        return ("-p", self.port, "-l", "127.0.0.1", "-U", "0", "-m", "64", *user)

    def ask(self, connection, number):
        connection.sendall(b"set key%d 0 0 1000\r\n%s\r\n" % (number % KEYS, VALUE[:1000]))
        assert read_until(connection, b"\r\n") == b"STORED\r\n"


class Nginx(Server):
    def words(self):
        config = self.fleet.path / "nginx.conf"
        config.write_text(f"""
daemon off; master_process off; pid {self.fleet.path}/nginx.pid;
error_log {self.fleet.path}/nginx.error;
events {{}}
http {{
  access_log off;
  client_body_temp_path {self.fleet.path}/body; proxy_temp_path {self.fleet.path}/proxy;
  fastcgi_temp_path {self.fleet.path}/fastcgi; uwsgi_temp_path {self.fleet.path}/uwsgi;
  scgi_temp_path {self.fleet.path}/scgi;
  server {{ listen 127.0.0.1:{self.port}; return 200 "hello"; }}
}}
""", encoding="utf-8")
        return ("-c", config, "-p", self.fleet.path, "-e", self.fleet.path / "nginx.error")

    def ask(self, connection, number):
        connection.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n" %
                           (number, VALUE[:3000]))
        assert read_until(connection, b"hello").startswith(b"HTTP/1.1 200")
