# SPDX-License-Identifier: MIT
"""Does work that needs buffers of all kinds, and prints digests, the same at every run."""
import bz2
import hashlib
import json
import lzma
import multiprocessing
import random
import sys
import threading
import zlib


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def grow_bytearrays(seed):
    """Grows buffers by realloc, shrinks them, and frees them in another order."""
    rng, held, total = random.Random(seed), [], hashlib.sha256()
    for _ in range(300):
        buffer = bytearray(b"seed %d" % seed)
        for _ in range(rng.randrange(1, 12)):
            buffer += rng.randbytes(rng.randrange(1, 60000))
        del buffer[rng.randrange(len(buffer)):]
        held.append(buffer)
        if len(held) > 16:
            total.update(held.pop(rng.randrange(len(held))))
    for buffer in held:
        total.update(buffer)
    return total.hexdigest()[:16]


def compress(seed):
    rng = random.Random(seed)
    plain = b"".join(b"%d " % rng.randrange(1000) for _ in range(60000))
    for module in (zlib, bz2, lzma):
        packed = module.compress(plain)
        if module.decompress(packed) != plain:
            sys.exit(f"{module.__name__} does not give back what it was given")
    return digest(zlib.compress(plain))


def round_json(seed):
    rng = random.Random(seed)
    tree = {str(key): [rng.random() for _ in range(key % 40)] for key in range(4000)}
    text = json.dumps(tree)
    if json.loads(text) != tree:
        sys.exit("json does not give back what it was given")
    return digest(text.encode())


JOBS = (grow_bytearrays, compress, round_json)


def one_job(number):
    return JOBS[number % len(JOBS)](number)


def in_threads(count):
    results = [None] * count

    def work(number):
        results[number] = one_job(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def in_processes(method, count):
    with multiprocessing.get_context(method).Pool(2) as pool:
        results = pool.map(one_job, range(count))
        pool.close()
        pool.join()
    return results


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    print("alone", [one_job(number) for number in range(count)])
    print("threads", in_threads(count))
    for method in ("fork", "spawn"):
        print(method, in_processes(method, count))


if __name__ == "__main__":
    main()
