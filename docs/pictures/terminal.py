#!/usr/bin/env python3
"""usage: terminal.py COMMAND < OUTPUT > PICTURE.svg

Draws what a program printed as a terminal would show it: COMMAND behind a prompt, then the lines of
stdin as they are.
"""
import html
import sys

ADVANCE, LINE, MARGIN = 8.43, 18, 16  # of a 14 px monospaced character
STRESSED = ("Nothing was lost.", "all ")


def main():
    command = sys.argv[1]
    lines = sys.stdin.read().rstrip("\n").split("\n")
    rows = [("$ " + command, "prompt")]
    rows += [(line, "stressed" if line.startswith(STRESSED) else "plain") for line in lines]
    width = 2 * MARGIN + ADVANCE * max(len(text) for text, _ in rows)
    height = 2 * MARGIN + LINE * len(rows)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
          f'width="{width:.0f}" height="{height}" role="img">')
    print(f"<title>{html.escape(command)}</title>")
    print("<style>text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
          "white-space:pre}.plain{fill:#d8dee9}.prompt{fill:#88c0d0}"
          ".stressed{fill:#a3be8c;font-weight:bold}</style>")
    print(f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1b1f27"/>')
    for number, (text, kind) in enumerate(rows):
        if not text:
            continue
        at = MARGIN + LINE * number + 13
        print(f'<text x="{MARGIN}" y="{at}" class="{kind}" xml:space="preserve" '
              f'textLength="{ADVANCE * len(text):.1f}">{html.escape(text)}</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
