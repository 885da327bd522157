#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""counts.py: instructions per call, compared with the figures kept.

    counts.py CALLGRIND_OUT OUT_WITH_STATISTICS FIGURES [--write]

The cases of msync count a second time as NAME_stats. Prints every case with its count and its figure. Exit status 1 when a count
has grown by more than a tenth over its figure, or a figure is missing.
"""
import re
import sys

CASE = re.compile(r'count_(\w+)')


def inclusive_costs(path):
    """Function -> (instructions, calls), what it calls included."""
    names, cost, calls = {}, {}, {}
    current, ahead = None, 0
    for line in open(path):
        line = line.rstrip('\n')
        kind, _, rest = line.partition('=')
        if kind in ('fn', 'cfn'):
            number, _, name = rest.partition(' ')
            name = names.setdefault(number, name) if name else names[number]
            if kind == 'fn':
                current = name
            else:
                callee = name
        elif kind == 'calls':
            count = int(rest.split()[0])
            if callee.startswith('count_'):
                calls[callee] = calls.get(callee, 0) + count
            ahead = 1
        elif current and re.match(r'[+*\-\d]', line):
            instructions = int(line.split()[1])
            if current.startswith('count_'):
                cost[current] = cost.get(current, 0) + instructions
            ahead = 0
    return cost, calls


def count_cases(path):
    """Case -> instructions per call."""
    cost, calls = inclusive_costs(path)
    counted = {}
    for function in cost:
        match = CASE.fullmatch(function)
        if match and calls.get(function):
            counted[match[1]] = cost[function] / calls[function]
    nothing = counted.pop('nothing', None)
    if nothing is None:
        sys.exit('counts: nothing was counted')
    return {name: round(n - nothing) for name, n in counted.items()}


def main():
    out, out_stats, figures_path = sys.argv[1:4]
    counted = count_cases(out)
    counted |= {f'{name}_stats': n for name, n in count_cases(out_stats).items()
                if 'msync' in name}
    counted = dict(sorted(counted.items()))
    if '--write' in sys.argv:
        with open(figures_path, 'w') as f:
            f.write('# Instructions per call, as bench/counts.sh --write'
                    ' left them: case, count.\n')
            for name, n in counted.items():
                f.write(f'{name} {n}\n')
    figures = dict(line.split() for line in open(figures_path)
                   if line.strip() and not line.startswith('#'))
    failed = False
    print(f'{"instructions per call":28}{"now":>8}{"kept":>8}')
    for name, n in counted.items():
        kept = int(figures.get(name, 0))
        grown = not kept or n > kept * 1.1 + 1
        failed |= grown
        print(f'{name:28}{n:8}{kept:8}', 'GROWN' if grown else '')
    for name in figures.keys() - counted.keys():
        failed = True
        print(f'{name:28}{"-":>8}{figures[name]:>8} NOT COUNTED')
    sys.exit(failed)


main()
