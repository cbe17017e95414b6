"""Writes jieba's tables in the form that the evaluation reads. Usage: tables.py SOURCE DESTINATION.

words.gz       first line the sum of all counts, then "word count" sorted by the words' characters
characters.gz  "start STATE p", "trans STATE STATE p" and "emit STATE CHARACTER p", p a natural logarithm; of the
               characters only those that the model is asked for (U+4E00 to U+9FD5)
"""

import gzip
import sys
from pathlib import Path


def write(file, lines):
    with open(file, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write("".join(line + "\n" for line in lines).encode())


def words(dictionary):
    counts = {}
    total = 0  # jieba counts a word that is listed twice twice, and keeps its last count
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, count = line.strip().split(" ")[:2]
        counts[word] = int(count)
        total += int(count)
    assert all(count > 0 and max(word) < "\ud800" for word, count in counts.items())
    return [str(total)] + [f"{word} {counts[word]}" for word in sorted(counts)]


def characters(source):
    sys.path.insert(0, str(source / "finalseg"))
    from prob_emit import P as emit
    from prob_start import P as start
    from prob_trans import P as trans

    lines = [f"start {state} {start[state]!r}" for state in sorted(start)]
    lines += [f"trans {a} {b} {trans[a][b]!r}" for a in sorted(trans) for b in sorted(trans[a])]
    for state in sorted(emit):
        lines += [f"emit {state} {c} {emit[state][c]!r}" for c in sorted(emit[state]) if "\u4e00" <= c <= "\u9fd5"]
    return lines


source, destination = Path(sys.argv[1]), Path(sys.argv[2])
write(destination / "words.gz", words(source / "dict.txt"))
write(destination / "characters.gz", characters(source))
