# SPDX-License-Identifier: MIT
"""Sets, replaces and reads values of many sizes over several connections at once.

  memcached_data.py SOCKET SECONDS

It goes on until each connection has done a little.
"""
import random
import socket
import sys
import threading
import time

KEYS = 40
LARGEST = 4 << 20


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rb", buffering=1 << 16)

    def set(self, key, value):
        self.socket.sendall(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value))
        answer = self.stream.readline()
        if answer != b"STORED\r\n":
            raise ValueError(f"set of {len(value)} bytes: {answer!r}")

    def get(self, key):
        self.socket.sendall(b"get %s\r\n" % key)
        header = self.stream.readline().split()
        if header == [b"END"]:
            return None
        value = self.stream.read(int(header[3]) + 2)[:-2]
        self.stream.readline()
        return value


def work(path, number, until, problems, counts):
    rng, link, model = random.Random(number), Connection(path), {}
    try:
        while time.monotonic() < until or counts[number] < KEYS:
            key = b"key:%d:%d" % (number, rng.randrange(KEYS))
            if rng.random() < 0.4:
                model[key] = rng.randbytes(int(50 * (LARGEST / 50) ** rng.random()))
                link.set(key, model[key])
            elif key in model and (value := link.get(key)) != model[key]:
                raise ValueError(f"{key!r} is {'gone' if value is None else 'another'}")
            counts[number] += 1
    except (ValueError, IndexError, OSError) as error:
        problems.append(str(error))


def main():
    path, until = sys.argv[1], time.monotonic() + float(sys.argv[2])
    problems, counts = [], [0] * 4
    threads = [threading.Thread(target=work, args=(path, number, until, problems, counts))
               for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        sys.exit("memcached_data.py: " + "; ".join(problems))
    print(sum(counts))


main()
