# SPDX-License-Identifier: MIT
"""Draws a line for each allocator, as one SVG."""

from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 128, 32, 40
# People who see no red or green can tell these colours apart (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d3b")
GRID_LINES = 5
# A page may be dark. What is ours is drawn thicker.
STYLE = """
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #3c4856; } .page { fill: #fff; }
.grid { stroke: #dde3ea; } polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.ours { stroke: #17202b; stroke-width: 3; }
@media (prefers-color-scheme: dark) { text { fill: #b8c4d0; } .page { fill: #19212b; }
.grid { stroke: #2d3844; } .ours { stroke: #e9eef4; } }"""
OURS = "ours"


def nice_step(most):
    """Returns the distance of the grid's lines: 1, 2 or 5 times a power of ten."""
    step = 10.0 ** -3
    while True:
        for factor in (1, 2, 5):
            if most / (step * factor) <= GRID_LINES:
                return step * factor
        step *= 10


def steps(most):
    step = nice_step(most)
    return [step * i for i in range(int(most / step) + 1)]


def label(value):
    return f"{value:g}" if value < 1e5 else f"{value / 1000:g}k"


class Frame:
    """Turns values into places on the page. All axes begin at 0."""

    def __init__(self, series):
        points = [point for line in series.values() for point in line]
        self.most_x = max((x for x, _ in points), default=1) or 1
        self.most_y = (max((y for _, y in points), default=1) or 1) * 1.05

    def x(self, value):
        return LEFT + value / self.most_x * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.most_y * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def grid(frame, axes):
    parts = []
    for value in steps(frame.most_y):
        y = frame.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 6, y + 4, label(value), "end"))
    for value in steps(frame.most_x):
        parts.append(text(frame.x(value), HEIGHT - BOTTOM + 16, label(value), "middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, axes[0], "middle"))
    parts.append(text(LEFT, TOP - 8, axes[1].replace("_mib", " MiB")))
    return parts


def line(frame, points, look):
    path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)
    return f'<polyline points="{path}" {look}/>'


def look_of(name, number):
    return 'class="ours"' if name == OURS else f'stroke="{COLOURS[number % len(COLOURS)]}"'


def draw(title, axes, series):
    """Returns the text of the file. `series` maps names to lists of (x, y), in the order of x."""
    frame = Frame(series)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        '<rect class="page" width="100%" height="100%" rx="8"/>',
        text(WIDTH / 2, 18, title, "middle"),
        *grid(frame, axes),
    ]
    for at, (name, points) in enumerate(series.items()):
        look = look_of(name, at)
        parts.append(line(frame, points, look))
        y = TOP + 16 * at + 8
        parts.append(f'<path d="M{WIDTH - RIGHT + 10} {y - 4}h18" {look} '
                     'stroke-width="3"/>')
        parts.append(text(WIDTH - RIGHT + 34, y, name))
    return "\n".join([*parts, "</svg>", ""])
