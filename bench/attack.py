"""The clients of attack.sh: many at once, over connections that they keep."""

import asyncio
import collections
import json
import math
import random
import ssl
import statistics
import sys
import time
import urllib.request

mode, port, ops, pid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
tls = ssl.create_default_context()
tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
idle = []


async def sign_in(address, login, password):
    """Status, Retry-After and milliseconds of one attempt."""
    body = json.dumps({"login": login, "password": password, "client": "native"})
    head = (f"POST /.doorward/api/sign-in HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-type: application/json\r\n"
            f"x-forwarded-for: {address}\r\ncontent-length: {len(body)}\r\n\r\n")
    while True:
        reused = bool(idle)
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        began = time.perf_counter()
        try:
            writer.write((head + body).encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(line.split(": ", 1) for line in answer.split("\r\n")[1:] if ": " in line)
            await reader.readexactly(int(fields.get("content-length", 0)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            if reused:
                continue
            raise
        idle.append((reader, writer))
        return int(answer.split()[1]), int(fields.get("retry-after", 1)), (time.perf_counter() - began) * 1000


def figures():
    page = urllib.request.urlopen(f"http://127.0.0.1:{ops}/metrics").read().decode()
    found = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    rss = next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))
    return {
        "rss": rss / 1024,
        "hashes": int(found.get("doorward_password_hashes_total", 0)),
        "at_once": int(found.get("doorward_password_hashes_at_once", 0)),
    }


async def attack(addresses, seconds, statuses):
    """200 a second, whether or not the answers come."""
    began, tasks = time.perf_counter(), set()
    for n in range(seconds * 200):
        await asyncio.sleep(max(0, began + n / 200 - time.perf_counter()))
        if len(tasks) > 800:
            statuses["not sent"] += 1
            continue
        task = asyncio.create_task(sign_in(addresses[n % len(addresses)], "owner@example.com", f"guess {n}"))
        tasks.add(task)
        task.add_done_callback(lambda done: (tasks.discard(done), statuses.update([done.result()[0]])))
    while tasks:
        await asyncio.wait(tasks)


async def owner(address, seconds, report):
    """Signs in once, trying again as the answers say."""
    began, tries = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        tries += 1
        status, retry_after, _ = await sign_in(address, "owner@example.com", "benchmark-password")
        if status == 200:
            report.append((tries, time.perf_counter() - began))
            return
        await asyncio.sleep(retry_after)
    report.append(None)


async def at_home(seconds, report):
    for _ in range(seconds):
        await asyncio.gather(owner("192.0.2.1", seconds, report), asyncio.sleep(1))


async def newcomers(seconds, report):
    tasks = []
    for second in range(0, seconds, 2):
        tasks.append(asyncio.create_task(owner(f"203.0.113.{len(report) + second + 1}", seconds, report)))
        await asyncio.sleep(2)
    await asyncio.gather(*tasks)


async def phase(name, addresses, seconds):
    statuses, home, new = collections.Counter(), [], []
    before, began = figures(), time.perf_counter()
    await asyncio.gather(attack(addresses, seconds, statuses), at_home(seconds, home), newcomers(seconds, new))
    took = time.perf_counter() - began
    await asyncio.sleep(1.1)
    after = figures()
    sent = sum(statuses.values())
    print(f"\n{name}: {sent} wrong passwords in {took:.0f} s: "
          + ", ".join(f"{status}: {count / sent:.1%}" for status, count in statuses.most_common()))
    for who, reports in (("at home", home), ("at new addresses", new)):
        there = [report for report in reports if report]
        print(f"  the owner {who}: {len(there)} of {len(reports)} signed in, at the first try "
              f"{sum(tries == 1 for tries, _ in there)}; seconds: median {statistics.median(s for _, s in there):.2f}, "
              f"most {max(s for _, s in there):.2f}")
    hashes = after["hashes"] - before["hashes"]
    print(f"  hashes for each attempt: {hashes / (sent + len(home) + len(new)):.3f} ({hashes}); most at once: {after['at_once']}; "
          f"memory after / before: {after['rss'] / before['rss']:.2f} ({after['rss']:.0f} MiB)")


async def under_attack():
    for _ in range(2):
        assert (await sign_in("192.0.2.1", "owner@example.com", "benchmark-password"))[0] == 200
    # The memory of one hash and of the connections is taken once, whoever comes.
    await asyncio.gather(*(sign_in("192.0.2.2", f"warm{n}", "x") for n in range(60)))
    await phase("one address", ["198.51.100.1"], 10)
    thousand = [f"198.18.{n // 250}.{n % 250 + 1}" for n in range(1000)]
    await phase("a thousand addresses, the first 20 s", thousand, 20)
    await phase("a thousand addresses, after that", thousand, 15)


async def timing():
    """500 of each, in turns, a few at a time."""
    times = {"owner@example.com": [], "nobody@example.com": []}
    logins = list(times) * 500
    random.Random(1).shuffle(logins)
    queue = iter(logins)

    async def worker():
        for login in queue:
            status, _, took = await sign_in("192.0.2.1", login, "wrong password")
            assert status == 401, status
            times[login].append(took)

    await asyncio.gather(*(worker() for _ in range(6)))
    known, unknown = times.values()
    for name, values in zip(("wrong password", "unknown user"), (known, unknown)):
        deciles = statistics.quantiles(values, n=10)
        print(f"{name:15} n={len(values)} median {statistics.median(values):.2f} ms, "
              f"1st to 9th decile {deciles[0]:.2f} to {deciles[8]:.2f} ms")
    merged = sorted([(value, 0) for value in known] + [(value, 1) for value in unknown])
    rank_sum = sum(rank for rank, (_, group) in enumerate(merged, 1) if group == 0)
    n, m = len(known), len(unknown)
    u = rank_sum - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    seen, distance = [0, 0], 0.0
    for _, group in merged:
        seen[group] += 1
        distance = max(distance, abs(seen[0] / n - seen[1] / m))
    print(f"Mann-Whitney: wrong slower than unknown in {u / (n * m):.3f} of pairs (0.5: no difference), "
          f"z = {z:.2f}, p = {math.erfc(abs(z) / math.sqrt(2)):.2f}")
    print(f"Kolmogorov-Smirnov: D = {distance:.3f} (5 % level: {1.358 * math.sqrt((n + m) / (n * m)):.3f})")


asyncio.run(under_attack() if mode == "attack" else timing())
