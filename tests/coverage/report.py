#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""report.py BUILD ARGUED: what gcov counted below BUILD, file by file, and
whether each function with lines that nothing reached is argued.

Design: the object of a source and that of every file that includes a header
tell of the same lines; a line is reached when any of them reached it, a branch
likewise by its place in the line.
"""
import collections
import json
import os
import re
import subprocess
import sys

SOURCES = ('shim/', 'config/')


def objects(build):
    for where, _, names in sorted(os.walk(build)):
        for name in sorted(names):
            if name.endswith('.gcno') and '/tests/' not in where + '/':
                yield os.path.join(where, name)


def gcov(note):
    out = subprocess.run(
        ['gcov', '--json-format', '--stdout', '--branch-probabilities', note],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    for line in out.stdout.splitlines():
        yield from json.loads(line)['files']


class File:
    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.Counter()
        self.function = {}

    def add(self, lines):
        for line in lines:
            number = line['line_number']
            self.lines[number] += line['count']
            self.function.setdefault(number, line.get('function_name', '?'))
            for i, branch in enumerate(line['branches']):
                self.branches[number, i] += branch['count']

    def missed(self):
        """Function -> the numbers of its lines that nothing reached."""
        missed = collections.defaultdict(list)
        for number, count in sorted(self.lines.items()):
            if not count:
                missed[self.function[number]].append(number)
        return missed


def read(build):
    files = collections.defaultdict(File)
    for note in objects(build):
        for file in gcov(note):
            if file['file'].startswith(SOURCES):
                files[file['file']].add(file['lines'])
    return files


def share(counts):
    reached = sum(1 for n in counts.values() if n)
    return reached, len(counts), 100 * reached / len(counts) if counts else 100


def show(files):
    total = File()
    print(f'{"file":34} {"lines":>18} {"branches":>18}')
    for name, file in sorted(files.items()):
        print(f'{name:34} %5d/%5d %5.1f%% %5d/%5d %5.1f%%' %
              (share(file.lines) + share(file.branches)))
        for key, n in file.lines.items():
            total.lines[name, key] = n
        for key, n in file.branches.items():
            total.branches[name, key] = n
    print(f'{"all":34} %5d/%5d %5.1f%% %5d/%5d %5.1f%%' %
          (share(total.lines) + share(total.branches)))


def read_argued(name):
    argued = {}
    with open(name, encoding='utf-8') as text:
        for line in text:
            match = re.fullmatch(r'([^:#]+):([\w?]+): (\d+): (.+)\n', line)
            if match:
                argued[match[1], match[2]] = int(match[3])
            elif line.strip() and not line.startswith('#'):
                sys.exit(f'{name}: not FILE:FUNCTION: N: reason: {line!r}')
    return argued


def is_for_another_cpu(name):
    """Vector code of an instruction set that this machine does not have."""
    if 'avx512' not in name:
        return False
    with open('/proc/cpuinfo', encoding='ascii') as text:
        return 'avx512vl' not in text.read().split()


def check(files, argued):
    passed = failed = skipped = 0
    for name, file in sorted(files.items()):
        if is_for_another_cpu(name):
            print(f'skip {name}: this CPU has no AVX-512')
            skipped += 1
            continue
        for function, lines in sorted(file.missed().items()):
            if len(lines) <= argued.pop((name, function), 0):
                passed += 1
                continue
            failed += 1
            print(f'FAIL {name}:{function}: not reached and not argued: line',
                  ', '.join(map(str, lines)))
    for name, function in argued:
        if name not in files or function not in files[name].function.values():
            failed += 1
            print(f'FAIL {name}:{function}: argued, and not there')
    return passed, failed, skipped


def main():
    files = read(sys.argv[1])
    if not files:
        sys.exit(f'{sys.argv[1]}: nothing was counted')
    show(files)
    passed, failed, skipped = check(files, read_argued(sys.argv[2]))
    print(f'coverage: {passed} passed, {failed} failed, {skipped} skipped')
    sys.exit(failed > 0)


main()
