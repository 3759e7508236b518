"""Makes sort.txt: what list.sort of CPython gives for comparisons that are no order. Each line has the length,
the seed, the comparison, and a hash of the order."""
import functools

M = (1 << 64) - 1


def numbers(seed):
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) & M
        yield seed >> 33


def less(mode, values, a, b):
    mix = ((a * 2654435761) ^ (b * 40503)) >> 3
    if mode == 0:
        return mix % 2 == 0
    if mode == 1:
        return (values[a] + 3) % 17 < values[b] % 17
    if mode == 2:
        return values[a] > values[b] if mix % 5 == 0 else values[a] < values[b]
    return values[a] // 4 < values[b] // 4 or (values[a] % 4 == 0 and values[b] % 7 == 0)


for length in (2, 3, 5, 20, 63, 64, 65, 100, 129, 200, 333, 500, 1000, 2500):
    for mode in range(4):
        for seed in range(5):
            source = numbers(seed)
            values = [next(source) % (length // 2 + 1) for _ in range(length)]

            class Item:
                def __init__(self, number):
                    self.number = number

                def __lt__(self, other):
                    return less(mode, values, self.number, other.number)

            order = sorted((Item(n) for n in range(length)))
            result = functools.reduce(lambda h, item: (h * 1000003 + item.number) & M, order, 7)
            print(length, seed, mode, result)
