#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every link between the pages of the tree leads somewhere, headings included; every rule of the dialect is stated once.

    links.py [--self-test]
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pages  # noqa: E402


def broken_links(files):
    read = {}

    def page_of(path):
        path = path.resolve()
        if path not in read:
            read[path] = pages.Page(path)
        return read[path]

    for file in files:
        for index, target in page_of(file).links():
            if "://" in target or target.startswith("mailto:"):
                continue
            name, _, fragment = target.partition("#")
            path = (file.parent / name) if name else file
            if not path.exists():
                yield f"{file}:{index + 1}: {target} leads nowhere"
            elif fragment and (path.suffix != ".md" or fragment not in page_of(path).anchors()):
                yield f"{file}:{index + 1}: {target}: no such heading"


def unlisted(folder):
    """Pages that the folder's README does not link to, and what stands on several pages."""
    index = pages.Page(folder / "README.md")
    linked = {target.partition("#")[0] for _, target in index.links()}
    stated = {}
    for path in sorted(folder.glob("*.md")):
        if path.name != "README.md" and path.name not in linked:
            yield f"{index.path}: no link to {path.name}"
        for line, number in pages.Page(path).rules():
            if number in stated:
                yield f"{path}:{line + 1}: S-{number} is stated in {stated[number]} already"
            stated[number] = path.name


def self_test():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "README.md").write_text("# Index\n[a](a.md) [b](a.md#two-words) [c](https://example.org/x) `[d](no.md)`\n")
        (folder / "a.md").write_text("# A\n## Two words\n- **S-1** One.\n[i](README.md)\n```\n[e](no.md)\n```\n")
        files = [folder / "README.md", folder / "a.md"]
        assert not list(broken_links(files)) and not list(unlisted(folder))
        (folder / "b.md").write_text("# B\n- **S-1** Again.\n[a](a.md#three) [n](no.md) [self](#b)\n")
        assert len(list(broken_links([folder / "b.md"]))) == 2, list(broken_links([folder / "b.md"]))
        assert len(list(unlisted(folder))) == 2
    return 0


def main():
    if "--self-test" in sys.argv:
        return self_test()
    problems = [*broken_links(pages.markdown_files()), *unlisted(pages.REFERENCE)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
