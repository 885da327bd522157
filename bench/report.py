#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""report.py: floors and plots from the benchmark's results.json.

    report.py results.json [--svg DIR] [--check]

Prints each floor with the worst size under it; --svg draws a plot for every
group of rows; --check makes a floor that is not met the exit status.
"""
import argparse
import json
import math
import sys
from html import escape

KIB, MIB = 1 << 10, 1 << 20

# What is promised: title of the rows, contender, sizes, least ratio, and the
# contender whose time is the reference (libpmem where none is named).
FLOORS = [
    ('persist of a mapped range, verify=no', 'persist, every line dirty in the cache',
     'shim-noverify', 4 * KIB, MIB, 0.97),
    ('persist of a mapped range, verify=yes', 'persist, every line dirty in the cache',
     'shim', 64 * KIB, MIB, 0.95),
    ('interposed copy, aligned', 'copy, aligned, hot', 'shim', KIB, 32 * KIB, 0.98),
    ('interposed copy, aligned', 'copy, aligned, hot', 'shim', 64 * KIB, 64 * MIB, 1.03),
    ('interposed copy, unaligned', 'copy, unaligned, hot', 'shim', KIB, 4 * KIB, 1.25),
    ('interposed copy, cold', 'copy, aligned, cold', 'shim', MIB, 64 * MIB, 1.12),
    ('interposed set, unaligned', 'set, unaligned, hot', 'shim', KIB, 4 * KIB, 1.25),
    ('streamed bandwidth, of what stores reach', 'copy, aligned, hot', 'shim',
     MIB, MIB, 0.90, 'stores'),
    ('AVX-512 off on both sides', 'copy, aligned, hot', 'avx2',
     4 * KIB, 64 * MIB, 1.5, 'libpmem-avx'),
    ('copy, then msync', 'copy, then msync, aligned, hot', 'shim',
     16 * KIB, 64 * MIB, 0.8),
]

# The contender that does nothing but what the machine has to do in any case.
LIMITS = {
    'persist, every line dirty in the cache': 'bare',
    'copy, aligned, hot': 'stores',
    'copy, unaligned, hot': 'stores',
    'set, unaligned, hot': 'stores',
}

# Colours that stay apart for the colour-blind (Okabe and Ito, 2008).
COLOURS = {
    'shim': '#0072B2', 'shim-noverify': '#56B4E9', 'avx512': '#009E73',
    'avx2': '#66A61E', 'sse2': '#B8A100', 'bare': '#009E73',
    'stores': '#999999', 'libpmem-avx': '#D55E00', 'libc+flush': '#CC79A7',
    'shim-stream': '#009E73', 'shim-plain': '#E69F00',
    'libc+msync': '#8C6BB1', 'libpmem': '#000000',
}
# libc alone makes nothing durable, and the kernel's msync depends on the
# medium; they would only stretch the axis.
LEFT_OUT = {'libpmem', 'libc', 'libc-msync', 'pmem_msync', 'libc+msync'}


def size_text(n):
    if n >= MIB:
        return f'{n // MIB} MiB'
    return f'{n // KIB} KiB' if n >= KIB else f'{n} B'


def groups(results):
    found = {}
    for row in results['rows']:
        found.setdefault(row['title'], []).append(row)
    return found


def ratio(row, name, reference):
    contenders = row['contenders']
    if name not in contenders or reference not in contenders:
        return None
    return contenders[reference]['ns'] / contenders[name]['ns']


def judge(results):
    """Yield (text, floor, worst ratio, its size, the limit's ratio there, met)."""
    for text, title, name, least, most, floor, *rest in FLOORS:
        reference = rest[0] if rest else 'libpmem'
        worst = None
        for row in results['rows']:
            if row['title'] != title or not least <= row['size'] <= most:
                continue
            r = ratio(row, name, reference)
            if r and (worst is None or r < worst[0]):
                worst = r, row['size'], ratio(row, LIMITS.get(title), reference)
        if worst:
            span = size_text(least)
            if most > least:
                span += f' to {size_text(most)}'
            yield f'{text}, {span}', floor, *worst, worst[0] >= floor


def print_floors(results):
    met_all = True
    lines = list(judge(results))
    if lines:
        print(f'\n{"floors (worst size; possible: bare flushes, or stores, there)":64}'
              f'{"at least":>9}{"is":>6}{"at":>9}{"possible":>10}')
    for text, floor, worst, size, limit, met in lines:
        met_all &= met
        possible = f'{limit:10.2f}' if limit else ' ' * 10
        print(f'{text:64}{floor:9.2f}{worst:6.2f}{size_text(size):>9}{possible}'
              f'{"" if met else "  not met"}')
    return met_all


class Plot:
    """One group: size on x (log2), ratio to libpmem on y (log2)."""
    WIDTH, HEIGHT = 860, 460
    LEFT, RIGHT, TOP, BOTTOM = 62, 150, 58, 62

    def __init__(self, title, rows, results):
        self.title, self.rows, self.results = title, rows, results
        self.names = [n for n in rows[0]['contenders'] if n not in LEFT_OUT]
        sizes = [r['size'] for r in rows]
        self.x0, self.x1 = math.log2(min(sizes)), math.log2(max(sizes))
        values = [v for n in self.names for _, v, lo, hi in self.points(n)
                  for v in (v, lo, hi)]
        values += [f[5] for f in self.floors()] + [1]
        self.y0 = math.log2(max(0.125, min(values))) - .08
        self.y1 = math.log2(min(4, max(values))) + .08
        self.out = []

    def points(self, name):
        for row in self.rows:
            c = row['contenders'][name]
            # Below copy_min the call is libc's, and not durable.
            if name == 'shim' and row['operation'] in ('copy', 'set') and row['size'] < KIB:
                continue
            if c['ratio'] > 0:
                yield row['size'], c['ratio'], c['low'], c['high']

    def floors(self):
        return [f for f in FLOORS if self.title.startswith(f[1]) and len(f) == 6
                and not (f[1] == 'copy, aligned, hot' and 'dirty' in self.title)]

    def x(self, size):
        span = self.x1 - self.x0 or 1
        return self.LEFT + (math.log2(size) - self.x0) / span * (
            self.WIDTH - self.LEFT - self.RIGHT)

    def y(self, value):
        v = min(self.y1, max(self.y0, math.log2(value)))
        return self.TOP + (self.y1 - v) / (self.y1 - self.y0) * (
            self.HEIGHT - self.TOP - self.BOTTOM)

    def text(self, x, y, text, size=12, anchor='start', colour='#222', extra=''):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
                        f'text-anchor="{anchor}" fill="{colour}"{extra}>{escape(text)}</text>')

    def line(self, x0, y0, x1, y1, colour, width=1.0, dash=''):
        dash = f' stroke-dasharray="{dash}"' if dash else ''
        self.out.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" '
                        f'stroke="{colour}" stroke-width="{width}"{dash}/>')

    def axes(self):
        right = self.WIDTH - self.RIGHT
        steps = [.125, .25, .5, .75, .8, .9, 1, 1.1, 1.25, 1.5, 2, 3, 4]
        if self.y1 - self.y0 > 2:
            steps = [.125, .25, .5, .75, 1, 1.25, 1.5, 2, 3, 4]
        for value in steps:
            if self.y0 <= math.log2(value) <= self.y1:
                y = self.y(value)
                self.line(self.LEFT, y, right, y, '#222' if value == 1 else '#ddd')
                self.text(self.LEFT - 8, y + 4, f'{value:g}', anchor='end')
        bottom = self.HEIGHT - self.BOTTOM
        low, high = round(self.x0), round(self.x1)
        for power in range(low, high + 1):
            x = self.x(2 ** power)
            self.line(x, bottom, x, bottom + 4, '#222')
            if (power - low) % (2 if high - low > 8 else 1) == 0:
                self.text(x, bottom + 18, size_text(2 ** power), 11, 'middle')
        self.line(self.LEFT, bottom, right, bottom, '#222')
        self.text((self.LEFT + right) / 2, bottom + 38, 'bytes a call', anchor='middle')
        middle = (self.TOP + bottom) / 2
        self.text(18, middle, "libpmem's time / contender's (above 1: faster)", 12, 'middle',
                  extra=f' transform="rotate(-90 18 {middle:.1f})"')

    def band(self, name, colour):
        points = list(self.points(name))
        edge = [(self.x(s), self.y(hi)) for s, _, _, hi in points]
        edge += [(self.x(s), self.y(lo)) for s, _, lo, _ in reversed(points)]
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in edge)
        self.out.append(f'<polygon points="{path}" fill="{colour}" opacity="0.15"/>')

    def curves(self):
        ends = []
        for name in self.names:
            points = [(self.x(s), self.y(v)) for s, v, _, _ in self.points(name)]
            if not points:
                continue
            colour = COLOURS.get(name, '#666')
            self.band(name, colour)
            path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
            width = 2.6 if name.startswith('shim') else 1.4
            self.out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                            f'stroke-width="{width}"/>')
            self.out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width}" fill="{colour}"/>'
                         for x, y in points]
            ends.append([points[-1][1], points[-1], name, colour])
        # Names beside the ends of their curves, pushed apart.
        ends.sort()
        for above, below in zip(ends, ends[1:]):
            below[0] = max(below[0], above[0] + 15)
        over = ends[-1][0] - (self.HEIGHT - self.BOTTOM) if ends else 0
        for end in reversed(ends):
            if over > 0:
                end[0] -= over
        for y, (px, py), name, colour in ends:
            label = self.WIDTH - self.RIGHT + 16
            self.line(px + 3, py, label - 3, y, colour, .6)
            self.text(label, y + 4, name, 12, colour=colour)

    def draw(self):
        self.axes()
        self.curves()
        for _, _, name, least, most, floor in self.floors():
            low = max(least, self.rows[0]['size'])
            high = min(most, self.rows[-1]['size'])
            self.line(self.x(low), self.y(floor), self.x(high), self.y(floor),
                      '#C00000', 1.8, '6 4')
            self.text(self.x(low), self.y(floor) - 5, f'floor {floor:g}', 11,
                      colour='#C00000')
        machine = self.results['machine']
        self.text(self.LEFT, 24, self.title, 16)
        self.text(self.LEFT, 42, f'{machine["cpu"]}, model {machine["model"]}, Linux '
                  f'{machine["kernel"]}, {machine["medium"]}, {machine["date"]}; bands: '
                  'quartiles', 11, colour='#666')
        body = '\n'.join(self.out)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.WIDTH}" '
                f'height="{self.HEIGHT}" viewBox="0 0 {self.WIDTH} {self.HEIGHT}" '
                'font-family="DejaVu Sans, Arial, sans-serif">\n'
                f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')


def file_name(title):
    name = ''.join(c if c.isalnum() else ' ' for c in title)
    return '-'.join(name.split()) + '.svg'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('results')
    parser.add_argument('--svg')
    parser.add_argument('--check', action='store_true')
    arguments = parser.parse_args()
    with open(arguments.results) as f:
        results = json.load(f)
    met = print_floors(results)
    if arguments.svg:
        for title, rows in groups(results).items():
            with open(f'{arguments.svg}/{file_name(title)}', 'w') as f:
                f.write(Plot(title, rows, results).draw())
    sys.exit(arguments.check and not met)


main()
