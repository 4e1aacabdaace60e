"""Who can speak. In a drawing ``@@`` are the eyes, ``~~`` is the tongue and ``*`` leads to the balloon."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody who can speak."""

    title: str
    drawing: str


def draw(character: Character, *, eyes: str, tongue: str, think: bool) -> Iterator[str]:
    """Lines of the drawing. `eyes` and `tongue` are two columns wide."""
    for line in character.drawing.strip("\n").splitlines():
        yield line.replace("*", "o" if think else "\\").replace("@@", eyes).replace("~~", tongue).rstrip()


CHARACTERS = {
    "default": Character(
        "Cow",
        r"""
   *    (\__/)
    *   ( @@ )_________
        (_.._)         )\
          ~~  \  ,--w  / \
              ||     ||   '
              ||     ||
""",
    ),
    "tux": Character(
        "Penguin",
        r"""
   *      ____
    *    / @@ \
     *  |  <>  |
        | .~~. |
       /| |  | |\
      / | |  | | \
         \ \/ /
         _)  (_
""",
    ),
    "cat": Character(
        "Cat",
        r"""
   *    /\__/\
    *  (= @@ =)
        \ ~~ /   _
       /      \  \ \
      |  |  |  |__) )
      (__|__|__)___/
""",
    ),
    "ghost": Character(
        "Ghost",
        r"""
   *     .----.
    *   /  @@  \
       |   ~~   |
       |        |
       |  .  .  |
        \/\/\/\/
""",
    ),
    "robot": Character(
        "Robot",
        r"""
   *     ._!!_.
    *    | @@ |
         |_~~_|
       .--'||'--.
       | [____] |
       |_|    |_|
         |_||_|
""",
    ),
}
