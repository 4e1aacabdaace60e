from mediaconduit_vendors.pcm import Swapper


def test_samples_change_their_order_however_they_are_cut() -> None:
    data = bytes(range(10))
    whole = bytes([1, 0, 3, 2, 5, 4, 7, 6, 9, 8])
    for size in (1, 2, 3, 7, 10):
        swapper = Swapper()
        assert b"".join(swapper.swapped(data[at : at + size]) for at in range(0, 10, size)) == whole
