"""What another process holds in its memory."""


def writable_memory(pid):
    """The bytes of each writable region: heap, stacks, data. Root, or the process must be dumpable and ours."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as lines, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in lines:
            place, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in place.split("-"))
            while start < end:
                memory.seek(start)
                try:
                    piece = memory.read(min(end - start, 1 << 26))
                except OSError:                                     # given back meanwhile, or never to be read
                    break
                if not piece:
                    break
                yield start, line.split()[-1], piece
                start += len(piece)


def find(pid, *texts):
    """Where any of the texts stands: [(text, address, region, what stands around it), …]."""
    found = []
    for start, region, piece in writable_memory(pid):
        for text in texts:
            at = piece.find(text)
            while at >= 0:
                found.append((text, hex(start + at), region, piece[max(0, at - 60):at + len(text) + 60]))
                at = piece.find(text, at + 1)
    return found


def parts_of(secret, size=16):
    """Pieces of a secret: a rest of it would be worth something too."""
    secret = secret.encode()
    return [secret[at:at + size] for at in {0, (len(secret) - size) // 2, len(secret) - size}]
