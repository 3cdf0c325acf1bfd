# SPDX-License-Identifier: MIT
"""Fills a redis server with the same data at every run, and reads all of it back.

  redis_data.py SOCKET ROUNDS

The data has all types. Strings of 100 B to 1 MiB are replaced by others of another size, so that
the server's allocator sees buffers of changing sizes come and go.
"""
import random
import socket
import sys

KEYS = 150
BATCH = 25


class Redis:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rb", buffering=1 << 16)
        self.waiting = []

    def queue(self, *parts):
        self.waiting.append(encode(parts))
        if len(self.waiting) == BATCH:
            self.flush()

    def flush(self):
        waiting, self.waiting = self.waiting, []
        for command in waiting:
            self.socket.sendall(command)
        return [self.reply() for _ in waiting]

    def ask(self, *parts):
        self.flush()
        self.waiting.append(encode(parts))
        return self.flush()[0]

    def reply(self):
        line = self.stream.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-" or not line:
            sys.exit(f"redis_data.py: redis said: {rest.decode() or 'nothing'}")
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.stream.read(size + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest


def encode(parts):
    chunks = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    out = [b"*%d\r\n" % len(chunks)]
    for chunk in chunks:
        out += [b"$%d\r\n" % len(chunk), chunk, b"\r\n"]
    return b"".join(out)


def value(rng):
    return rng.randbytes(int(100 * (2**20 / 100) ** rng.random()))


def write_strings(redis, rng, model):
    for index in range(KEYS):
        key, roll = f"string:{index}", rng.random()
        if roll < 0.1 and key in model:
            redis.queue("DEL", key)
            del model[key]
        elif roll < 0.25 and key in model and len(model[key]) < 2**20:
            extra = value(rng)
            redis.queue("APPEND", key, extra)
            model[key] += extra
        else:
            model[key] = value(rng)
            redis.queue("SET", key, model[key])


def write_collections(redis, rng, number):
    for index in range(40):
        small = rng.randbytes(rng.randrange(1, 3000))
        redis.queue("RPUSH", f"list:{index % 5}", small, value(rng))
        redis.queue("HSET", f"hash:{index % 7}", f"field:{rng.randrange(60)}", value(rng))
        redis.queue("SADD", f"set:{index % 3}", small, f"member:{index}:{number}")
        redis.queue("ZADD", f"zset:{index % 3}", rng.randrange(1000), small)
        redis.queue("XADD", f"stream:{index % 2}", f"{number + 1}-{index + 1}", "body", small)
        redis.queue("PFADD", f"log:{index % 2}", small)
        redis.queue("SETBIT", f"bits:{index % 4}", rng.randrange(1 << 20), 1)
        redis.queue("LPOP", f"list:{(index + 1) % 5}")
        redis.queue("EVAL", "redis.call('SET', KEYS[1], string.rep(ARGV[1], 5000))", 1,
                    f"script:{index % 6}", f"{number}-{index}")


def check_strings(redis, model):
    for key, expected in sorted(model.items()):
        if redis.ask("GET", key) != expected:
            sys.exit(f"redis_data.py: {key} is not what was written")


def main():
    redis, rng, model = Redis(sys.argv[1]), random.Random(20240607), {}
    for number in range(int(sys.argv[2])):
        write_strings(redis, rng, model)
        write_collections(redis, rng, number)
        redis.flush()
    check_strings(redis, model)


main()
