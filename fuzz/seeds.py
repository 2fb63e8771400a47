#!/usr/bin/env python3
"""Writes the inputs that fuzzing starts from, fuzz/seeds/<target>/: small files that the readers accept.

    python3 fuzz/seeds.py          needs the standard library, and cargo for the checkpoint
"""

import gzip
import itertools
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

FUZZ = pathlib.Path(__file__).parent
ROOT = FUZZ.parent


def write(target, name, data):
    folder = FUZZ / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def idx():
    images = struct.pack(">4I", 2051, 2, 3, 4) + bytes(range(24))
    labels = struct.pack(">2I", 2049, 2) + bytes([3, 9])
    for name, data in [("images", images), ("labels", labels)]:
        write("idx", name, data)
        write("idx", name + ".gz", gzip.compress(data, mtime=0))


def element(order, kind, body):
    """A MATLAB data element; a small one where it fits."""
    if 1 <= len(body) <= 4:
        return struct.pack(order + "I", len(body) << 16 | kind) + body.ljust(4, b"\0")
    return struct.pack(order + "2I", kind, len(body)) + body + bytes(-len(body) % 8)


def array(order, array_class, name, sizes, kind, values):
    return element(order, 14, b"".join([
        element(order, 6, struct.pack(order + "2I", array_class, 0)),
        element(order, 5, struct.pack(f"{order}{len(sizes)}i", *sizes)),
        element(order, 1, name.encode()),
        element(order, kind, values),
    ]))


def matlab(order, elements, compress):
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(order + "2H", 0x0100, 0x4D49)
    if compress:
        packed = [zlib.compress(element) for element in elements]
        elements = [struct.pack(order + "2I", 15, len(body)) + body for body in packed]
    return header + b"".join(elements)


def mat_files():
    for (end, order), compress in itertools.product([("little", "<"), ("big", ">")], [False, True]):
        name = f"{end}-{'compressed' if compress else 'plain'}.mat"
        # Every class of numbers (6 to 15) in its own type, then what is passed over: a cell array and
        # complex numbers.
        types = {6: (9, "d"), 7: (7, "f"), 8: (1, "b"), 9: (2, "B"), 10: (3, "h"), 11: (4, "H"),
                 12: (5, "i"), 13: (6, "I"), 14: (12, "q"), 15: (13, "Q")}
        arrays = [array(order, c, f"class{c}", [1, 2], kind, struct.pack(f"{order}2{letter}", 1, 2))
                  for c, (kind, letter) in types.items()]
        arrays.append(array(order, 1, "cell", [1, 1], 14, b""))
        arrays.append(array(order, 6 | 0x0800, "complex", [1, 1], 2, b"\1"))
        write("matlab", name, matlab(order, arrays, compress))

        pixels = bytes(i * 7 % 256 for i in range(3072))
        svhn = [array(order, 9, "X", [32, 32, 3], 2, pixels), array(order, 6, "y", [1, 1], 2, b"\12")]
        write("svhn", name, matlab(order, svhn, compress))


def cifar():
    record = bytes([7]) + bytes(i * 5 % 256 for i in range(3072))
    write("cifar", "one", record)
    write("cifar", "two", record * 2)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png():
    """A PNG of each colour type, depth and interlacing; the target's first three bytes are a size."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    depths = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
    for colour, of_colour in depths.items():
        for depth in of_colour:
            width, height = 6, 5
            row = bytes([1]) + bytes(i * 3 % 256 for i in range((width * depth * channels[colour] + 7) // 8))
            parts = [chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0))]
            if colour == 3:
                parts.append(chunk(b"PLTE", bytes(i % 256 for i in range(3 * 2**depth))))
                parts.append(chunk(b"tRNS", b"\x80\x00"))
            parts.append(chunk(b"IDAT", zlib.compress(row * height)))
            parts.append(chunk(b"IEND", b""))
            size = bytes([4, 3, colour])
            write("png", f"colour{colour}-depth{depth}", size + b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    # A palette that ends within a colour, which once made the decoder panic.
    parts = [
        chunk(b"IHDR", struct.pack(">2I5B", 8, 1, 1, 3, 0, 0, 0)),
        chunk(b"PLTE", b"\1\2\3\4"),
        chunk(b"IDAT", zlib.compress(b"\0\0")),
        chunk(b"IEND", b""),
    ]
    write("png", "part-of-a-colour", bytes([1, 8, 3]) + b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    # One pixel, interlaced, with text and a colour profile.
    parts = [
        chunk(b"IHDR", struct.pack(">2I5B", 1, 1, 8, 0, 0, 0, 1)),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200))),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"some words")),
        chunk(b"IDAT", zlib.compress(b"\0\7")),
        chunk(b"IEND", b""),
    ]
    write("png", "interlaced", bytes([9, 9, 3]) + b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def npy():
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n"
    values = struct.pack("<6f", *range(6))
    for version, size in [(1, "<H"), (2, "<I")]:
        start = b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(header))
        write("npy", f"version-{version}", start + header.encode() + values)


def texts():
    write("manifest", "datasets", (ROOT / "datasets" / "manifest.toml").read_bytes())
    for sweep in (ROOT / "recipes" / "sweeps").glob("*.toml"):
        write("sweep", sweep.name, sweep.read_bytes())


def run_folder():
    """One file of a run's folder; the first byte is which of the target's list."""
    picture = (FUZZ / "seeds" / "png" / "colour0-depth8").read_bytes()[3:]
    damaged = (FUZZ / "seeds" / "png" / "part-of-a-colour").read_bytes()[3:]
    log = b"step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate\n1,1,1,1,1,1,1,\n"
    epochs = b"step,epoch,seconds,data_wait_seconds,sliced_wasserstein,classes_present\n1,1,1,1,1,1\n"
    recipe = (FUZZ / "tiny.toml").read_bytes()
    for index, data in enumerate([recipe, log, epochs, picture, damaged, picture]):
        write("run_folder", f"file-{index}", bytes([index]) + data)


def recipes_and_checkpoint():
    for recipe in [*(ROOT / "recipes").glob("*.toml"), FUZZ / "tiny.toml"]:
        write("recipe", recipe.name, recipe.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        command = ["cargo", "run", "--release", "--", "train", FUZZ / "tiny.toml", "--steps", "1", "--out", run]
        subprocess.run(command, cwd=ROOT, check=True)
        for name in ["checkpoint.safetensors", "generator.safetensors"]:
            # With a sum of its bytes every mutant would be refused for that alone.
            data = (run / name).read_bytes()
            data = re.sub(rb'\\"sha256\\":\\"[0-9a-f]{64}\\",', lambda sum: b" " * len(sum[0]), data, count=1)
            write("checkpoint", name, data)


if __name__ == "__main__":
    shutil.rmtree(FUZZ / "seeds", ignore_errors=True)
    idx()
    mat_files()
    cifar()
    png()
    npy()
    texts()
    run_folder()
    recipes_and_checkpoint()
