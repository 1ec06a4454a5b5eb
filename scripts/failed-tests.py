#!/usr/bin/env python3
"""Prints the tests that failed, each as a regular expression for `swift test --filter`, a line each.

Usage: failed-tests.py FILE, an xUnit file as `swift test --xunit-output` writes it. Exits with 1 where there is none: the
tests did not come to an end.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


def main():
    try:
        root = ElementTree.parse(sys.argv[1]).getroot()
    except (OSError, ElementTree.ParseError) as error:
        print(f"failed-tests.py: {error}", file=sys.stderr)
        return 1
    names = {
        f"{case.get('classname')}/{case.get('name')}" for case in root.iter("testcase") if case.find("failure") is not None
    }
    for name in sorted(names):
        print("^" + re.escape(name))
    return 0


sys.exit(main())
