from mediaconduit_broker.keeper.tail import Tail


def read_all(tail: Tail, offset: int = 0, most: int = 64 * 1024) -> bytes:
    found = b""
    while offset < tail.end:
        data, offset = tail.after(offset, most)
        found += data
    return found


def test_what_fits_comes_whole_and_once() -> None:
    tail = Tail(100)
    for number in range(5):
        tail.append(b"line %d\n" % number)
    assert read_all(tail) == b"".join(b"line %d\n" % number for number in range(5))
    assert tail.after(tail.end) == (b"", tail.end)


def test_it_goes_on_where_the_last_answer_ended() -> None:
    tail = Tail(1000)
    tail.append(b"abc")
    _, offset = tail.after(0)
    tail.append(b"def")
    assert tail.after(offset)[0] == b"def"
    assert read_all(tail, 2) == b"cdef"


def test_an_answer_is_bounded() -> None:
    tail = Tail(1000)
    for _ in range(10):
        tail.append(b"x" * 50)
    data, offset = tail.after(0, 120)
    assert (len(data), offset) == (150, 150)
    assert len(read_all(tail, 0, 120)) == 500


def test_no_more_than_its_size_is_kept() -> None:
    tail = Tail(100)
    for number in range(1000):
        tail.append(b"%09d\n" % number)
    assert len(read_all(tail)) <= 100
    assert tail.end == 10_000


def test_after_a_loss_it_goes_on_with_a_whole_line() -> None:
    tail = Tail(30)
    for piece in (b"a sec", b"ret that is to", b"rn\nnext line\n", b"last\n"):
        tail.append(piece)
    assert read_all(tail) == b"next line\nlast\n"


def test_a_torn_line_without_an_end_is_left_out() -> None:
    tail = Tail(10)
    for _ in range(4):
        tail.append(b"x" * 8)
    assert read_all(tail) == b""
