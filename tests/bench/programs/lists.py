"""Lists and tuples: slicing, matrices, a board, unpacking."""


def life(board, steps):
    height, width = len(board), len(board[0])
    for _ in range(steps):
        new = []
        for y in range(height):
            above, row, below = board[y - 1], board[y], board[(y + 1) % height]
            line = []
            for x in range(width):
                right = (x + 1) % width
                near = (above[x - 1] + above[x] + above[right] + row[x - 1] + row[right] +
                        below[x - 1] + below[x] + below[right])
                line.append(1 if near == 3 or (near == 2 and row[x]) else 0)
            new.append(line)
        board = new
    return sum(map(sum, board))


def run():
    board = [[(x * y + x) % 3 == 0 for x in range(48)] for y in range(48)]
    alive = life(board, 22)
    values = list(range(60000))
    slices = sum(len(values[i::7]) + values[-i - 1] for i in range(300))
    rotated = values[:]
    for _ in range(40):
        rotated = rotated[1000:] + rotated[:1000]
    grid = [list(column) for column in zip(*[range(i, i + 60) for i in range(400)])]
    unpacked = 0
    for first, *middle, last in grid * 30:
        unpacked += first + last + len(middle)
    stack = []
    for i in range(120000):
        stack.append((i, i + 1))
        if i % 3 == 2:
            a, b = stack.pop()
            stack[-1] = (a, b)
    return alive, slices, rotated[0], unpacked, len(stack)
