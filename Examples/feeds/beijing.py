#!/usr/bin/env python3
"""Beijing's air in time order: rows for `murmur feed`, and a sample for the session file.

    python3 Examples/feeds/beijing.py sample beijing_pm25_35064h_12st.csv.gz > air.csv
    python3 Examples/feeds/beijing.py stream beijing_pm25_35064h_12st.csv.gz 0 3 --rate 50 | murmur feed --session beijing.yaml --id air-0 …

A row holds PM2.5 at twelve stations now and an hour ago; its label says whether their mean will be above 75 µg/m³ (China's standard for a
day) in three hours. `stream … K N` writes the hours K, K + N, K + 2N …: what sensor K of N sees. The last fifth of the hours, and some of
the first, are the sample's: columns, classes, scale and test rows of the session.
"""
import argparse
import csv
import gzip
import math
import sys
import time

AHEAD, LIMIT = 3, 75.0


def rows(path):
    with gzip.open(path, "rt", newline="") as file:
        table = list(csv.reader(file))
    names, hours = table[0][1:], []
    last = [float("nan")] * len(names)
    for line in table[1:]:
        # A station that says nothing still shows what it showed before.
        last = [float(text) if text and text != "nan" else old for text, old in zip(line[1:], last)]
        hours.append(list(last))
    header = [f"{name}_now" for name in names] + [f"{name}_before" for name in names] + ["high"]
    result = []
    for hour in range(1, len(hours) - AHEAD):
        now, before, then = hours[hour], hours[hour - 1], hours[hour + AHEAD]
        known = [value for value in then if not math.isnan(value)]
        if not known or any(math.isnan(value) for value in now + before):
            continue
        result.append([f"{value:g}" for value in now + before] + [str(int(sum(known) / len(known) > LIMIT))])
    return header, result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["sample", "stream"])
    parser.add_argument("path")
    parser.add_argument("sensor", type=int, nargs="?", default=0)
    parser.add_argument("sensors", type=int, nargs="?", default=1)
    parser.add_argument("--rate", type=float, default=0, help="rows a second; 0 for as fast as they are taken")
    options = parser.parse_args()
    header, all_rows = rows(options.path)
    cut = len(all_rows) * 4 // 5
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(header)
    if options.what == "sample":
        out.writerows(all_rows[:cut:40] + all_rows[cut::4])
        return
    for row in all_rows[options.sensor : cut : options.sensors]:
        out.writerow(row)
        if options.rate > 0:
            sys.stdout.flush()
            time.sleep(1 / options.rate)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.stderr.close()
