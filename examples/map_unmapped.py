"""One call for each element of a list, with an argument that is the same for all.

python examples/map_unmapped.py
PREFECTX=cache python examples/map_unmapped.py
"""

from prefectx import flow, load, task, unmapped

TEXTS = {
    "raven": "Once upon a midnight dreary, while I pondered, weak and weary",
    "tyger": "Tyger Tyger, burning bright, in the forests of the night",
    "daffodils": "I wandered lonely as a cloud that floats on high",
}


@task(target="working/{funcname}/{title}.json")
def count(title: str, text: str, letters: list[str]) -> dict[str, int]:
    """Count letters in a text."""
    return {letter: text.lower().count(letter) for letter in letters}


@flow
def count_letters() -> dict[str, dict[str, int]]:
    """Count the same letters in every text."""
    # Without `unmapped`, each call would get one of the letters instead of the list.
    counts = count.map(list(TEXTS), list(TEXTS.values()), unmapped(["e", "n", "w"]))
    return dict(zip(TEXTS, load(counts), strict=True))


def main() -> None:
    """Run the flow and print a line for each text."""
    for title, counts in count_letters().items():
        print(f"{title:<10}", *(f"{letter}: {number}" for letter, number in counts.items()))


if __name__ == "__main__":
    main()
