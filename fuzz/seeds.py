#!/usr/bin/env python3
"""Writes the inputs that fuzzing starts from, fuzz/seeds/<target>/: small files that the readers accept.

    python3 fuzz/seeds.py          needs the standard library, and cargo for the checkpoint
"""

import base64
import gzip
import io
import itertools
import pathlib
import re
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib

# Nine by seven pixels, saved by Pillow 13.0.0: what the standard library can't encode. The first JPEG lies on its
# side, as its EXIF data says.
PICTURES = {
    "jpeg": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDABsSFBcUERsXFhceHBsg"
        "KEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSk"
        "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAHAAkDASIAAhEBAxEB/8QAHwAAAQUBAQEB"
        "AQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAk"
        "M2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKj"
        "pKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAA"
        "AAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl"
        "8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmq"
        "srO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwCC10wHHAq5/ZI9BRRWdJKU"
        "bsihXqcu5//Z"
    ),
    "jpeg-progressive": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
        "q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
        "pKSkpKSkpKT/wgARCAAHAAkDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUAQEAAAAAAAAAAAAAAAAAAAAC/9oA"
        "DAMBAAIQAxAAAAGdgn//xAAXEAEAAwAAAAAAAAAAAAAAAAAAAgMT/9oACAEBAAEFAo1sn//EABYRAQEBAAAAAAAAAAAAAAAAAAIA"
        "Ef/aAAgBAwEBPwENZf/EABcRAAMBAAAAAAAAAAAAAAAAAAABAiH/2gAIAQIBAT8BnUf/xAAUEAEAAAAAAAAAAAAAAAAAAAAQ/9oA"
        "CAEBAAY/Aj//xAAUEAEAAAAAAAAAAAAAAAAAAAAQ/9oACAEBAAE/IT//2gAMAwEAAgADAAAAEPf/xAAVEQEBAAAAAAAAAAAAAAAA"
        "AAAAQf/aAAgBAwEBPxC4/8QAFhEBAQEAAAAAAAAAAAAAAAAAAQAR/9oACAECAQE/ECaN/8QAGBABAAMBAAAAAAAAAAAAAAAAAQAR"
        "IVH/2gAIAQEAAT8QFrCU4T//2Q=="
    ),
    "jpeg-cmyk": (
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6ut"
        "q2eAvMm6pseZqKuk/8AAFAgABwAJBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB"
        "AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH"
        "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV"
        "1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwCno38NN/sFfQVl6dYC6xkDmumroaP7BX0Fa3/COr6Civ/Z"
    ),
    "webp-lossy": (
        "UklGRkAAAABXRUJQVlA4IDQAAADQAQCdASoJAAcABUB8JbACdAEOuBZhQAD+5f/MuU9DS5D8z93wAmm1Lvdef622Uz8O0oAA"
    ),
    "webp-lossless": (
        "UklGRjYAAABXRUJQVlA4TCoAAAAvCIABALkyRPQ/duWP6H9AQds2TMCUP8u3IZgMBWkbsLDdiQkAxMpx+ww="
    ),
    "webp-alpha": (
        "UklGRloAAABXRUJQVlA4WAoAAAAQAAAACAAABgAAQUxQSAoAAAABB9C/iAhERP8DVlA4ICoAAADQAQCdASoJAAcABUB8JZgCdAEO"
        "u0euYAD+7tzu0mlNKol6W8hi2xigAAA="
    ),
    "gif": (
        "R0lGODdhCQAHAIIAAJbGpZaQeCa0JmRsPJY2LZYAACY2CyYAACwAAAAACQAHAAAILAAPCDxQoGBBAwgNEFi4MKGBAQwJIBxAcUCA"
        "iwIyUryIMaOAiwBCehQQsmRAADs="
    ),
    "bmp": (
        "Qk36AAAAAAAAADYAAAAoAAAACQAAAAcAAAABABgAAAAAAMQAAADEDgAAxA4AAAAAAAAAAAAAANgAHtgZPNgyWthLeNhklth9tNiW"
        "0tiv8NjIAAC0ABm0GTK0Mku0S2S0ZH20fZa0lq+0r8i0yAAAkAAUkBkokDI8kEtQkGRkkH14kJaMkK+gkMgAAGwAD2wZHmwyLWxL"
        "PGxkS2x9WmyWaWyveGzIAABIAApIGRRIMh5ISyhIZDJIfTxIlkZIr1BIyAAAJAAFJBkKJDIPJEsUJGQZJH0eJJYjJK8oJMgAAAAA"
        "AAAZAAAyAABLAABkAAB9AACWAACvAADIAA=="
    ),
}


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
    hundred = bytes([11]) + record
    write("cifar", "hundred", hundred)
    for name, data in [("data_batch_1.bin", record), ("train.bin", hundred)]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo("cifar/" + name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        write("cifar", name + ".tar.gz", gzip.compress(packed.getvalue(), mtime=0))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pictures():
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
            write("picture", f"colour{colour}-depth{depth}", size + b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    # A palette that ends within a colour, which once made the decoder panic.
    parts = [
        chunk(b"IHDR", struct.pack(">2I5B", 8, 1, 1, 3, 0, 0, 0)),
        chunk(b"PLTE", b"\1\2\3\4"),
        chunk(b"IDAT", zlib.compress(b"\0\0")),
        chunk(b"IEND", b""),
    ]
    write("picture", "part-of-a-colour", bytes([1, 8, 3]) + b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    # One pixel, interlaced, with text and a colour profile.
    parts = [
        chunk(b"IHDR", struct.pack(">2I5B", 1, 1, 8, 0, 0, 0, 1)),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200))),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"some words")),
        chunk(b"IDAT", zlib.compress(b"\0\7")),
        chunk(b"IEND", b""),
    ]
    write("picture", "interlaced", bytes([9, 9, 3]) + b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    for name, data in PICTURES.items():
        write("picture", name, bytes([4, 3, 1]) + base64.b64decode(data))


def archive(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def npy(descr, shape, data):
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def archives_and_arrays():
    gif, bmp = (base64.b64decode(PICTURES[name]) for name in ["gif", "bmp"])
    write("zip", "classes", archive({"set/a/1.gif": gif, "set/b/x/2.bmp": bmp, "set/c/notes.txt": b"none"}))
    write("zip", "flat", archive({"1.gif": gif, "__MACOSX/._1.gif": b"none"}))
    grey = npy("|u1", (2, 3, 4), bytes(range(24)))
    colour = npy("|u1", (2, 2, 2, 3), bytes(range(24)))
    write("numpy", "grey", grey)
    write("numpy", "colour", colour)
    write("numpy", "labels", archive({"x.npy": grey, "y.npy": npy("<i8", (2, 1), struct.pack("<2q", 3, 9))}))


def latents():
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n"
    values = struct.pack("<6f", *range(6))
    for version, size in [(1, "<H"), (2, "<I")]:
        start = b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(header))
        write("npy", f"version-{version}", start + header.encode() + values)


def texts():
    write("manifest", "datasets", (ROOT / "datasets" / "manifest.toml").read_bytes())
    for sweep in (ROOT / "recipes" / "sweeps").glob("*.toml"):
        write("sweep", sweep.name, sweep.read_bytes())
    write("runs", "two", RUNS.encode())


RUNS = """[runs."batch_size-16"]
jobs = 1
outcome = "finished"

[runs."batch_size-32"]
jobs = 2
steps = 40
outcome = "failed"
error = "step 3: diverged"
"""


HISTORY = """seconds = 1.5

[[session]]
began = 2026-11-26T06:05:16Z
step = 0
version = "0.1.0"
device = "cpu"
command = "minimax train"
"""


def run_folder():
    """One file of a run's folder; the first byte is which of the target's list."""
    picture = (FUZZ / "seeds" / "picture" / "colour0-depth8").read_bytes()[3:]
    damaged = (FUZZ / "seeds" / "picture" / "part-of-a-colour").read_bytes()[3:]
    log = b"step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate\n1,1,1,1,1,1,1,\n"
    epochs = b"step,epoch,seconds,data_wait_seconds,sliced_wasserstein,classes_present\n1,1,1,1,1,1\n"
    recipe = (FUZZ / "tiny.toml").read_bytes()
    files = [(0, recipe), (1, log), (2, epochs), (3, damaged), (4, picture), (5, b"\0" * 16), (8, b""), (9, HISTORY.encode())]
    for index, data in files:
        write("run_folder", f"file-{index}", bytes([index]) + data)


def recipes_and_checkpoint():
    for recipe in [*(ROOT / "recipes").glob("*.toml"), FUZZ / "tiny.toml", FUZZ / "residual.toml"]:
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
    pictures()
    archives_and_arrays()
    latents()
    texts()
    run_folder()
    recipes_and_checkpoint()
