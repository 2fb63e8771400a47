"""Makes kernels/ptx/*.ptx from kernels/*.cu with NVRTC, and with --check holds them to the sources.

    python3 -m venv target/nvrtc && target/nvrtc/bin/pip install -r kernels/requirements.txt
    target/nvrtc/bin/python kernels/compile.py            # writes the PTX anew; no GPU is needed
    target/nvrtc/bin/python kernels/compile.py --check    # fails unless it is what is there, and ptxas takes it

The same sources and the same NVRTC give the same bytes. ptxas then assembles each file for the processors that it
is for, and says how many registers each kernel takes; one that spills or uses local memory is an error.
"""

import argparse
import ctypes
import pathlib
import re
import site
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PTX = HERE / "ptx"
ARCHITECTURE = "compute_80"
# ptxas, and the processors that it is to assemble for. CUDA 12.4's knows nothing newer than Hopper.
ASSEMBLERS = {"cuda_nvcc/bin/ptxas": ["sm_80", "sm_90", "sm_90a"], "cu13/bin/ptxas": ["sm_100", "sm_120"]}
OPTIONS = [f"--gpu-architecture={ARCHITECTURE}", "--std=c++17", f"--include-path={HERE}"]


def installed(path: str) -> pathlib.Path:
    """A file of the pip packages of NVIDIA."""
    for folder in site.getsitepackages():
        if (pathlib.Path(folder) / "nvidia" / path).exists():
            return pathlib.Path(folder) / "nvidia" / path
    sys.exit(f"no {path}: pip install -r kernels/requirements.txt")


class Nvrtc:
    """The few functions of NVRTC that a compilation takes."""

    def __init__(self):
        # Loaded first, so that NVRTC finds it wherever it lies.
        ctypes.CDLL(str(installed("cuda_nvrtc/lib/libnvrtc-builtins.so.12.4")), mode=ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL(str(installed("cuda_nvrtc/lib/libnvrtc.so.12")))

    def text(self, what: str, program) -> bytes:
        size = ctypes.c_size_t()
        getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        getattr(self.library, f"nvrtcGet{what}")(program, buffer)
        return buffer.raw.rstrip(b"\0")

    def compile(self, source: pathlib.Path) -> bytes:
        program = ctypes.c_void_p()
        name = source.relative_to(HERE).as_posix().encode()
        self.library.nvrtcCreateProgram(ctypes.byref(program), source.read_bytes(), name, 0, None, None)
        options = (ctypes.c_char_p * len(OPTIONS))(*(option.encode() for option in OPTIONS))
        failed = self.library.nvrtcCompileProgram(program, len(OPTIONS), options)
        log = self.text("ProgramLog", program).decode()
        if failed or log.strip():
            sys.exit(f"{source.name}:\n{log}")
        return self.text("PTX", program)


def assemble(ptx: pathlib.Path, ptxas: str, processor: str) -> list[str]:
    """A line for each kernel with its registers; exits if one spills or needs local memory."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as out:
        command = [installed(ptxas), "-v", "--warn-on-spills", "--warn-on-local-memory-usage"]
        command += [f"--gpu-name={processor}", "-o", out.name, ptx]
        done = subprocess.run(command, capture_output=True, text=True)
    report = done.stdout + done.stderr
    if done.returncode or "warning" in report:
        sys.exit(f"{ptx.name} for {processor}:\n{report}")
    kernels = re.findall(r"entry function '(\w+)'.*?Used (\d+) registers(.*?)\n", report, re.DOTALL)
    lines = []
    for name, registers, rest in kernels:
        shared = re.search(r"(\d+) bytes smem", rest)
        lines.append(f"  {name:44} {registers:>4} registers {shared[1] if shared else 0:>6} bytes shared")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare and assemble, write nothing")
    parser.add_argument("stems", nargs="*", help="only these; ladder/gemm is one, too")
    asked = parser.parse_args()
    sources = sorted(HERE.glob("*.cu")) + sorted(HERE.glob("ladder/*.cu"))
    if asked.stems:
        sources = [s for s in sources if s.relative_to(HERE).with_suffix("").as_posix() in asked.stems]
    nvrtc = Nvrtc()
    for source in sources:
        target = (PTX / source.relative_to(HERE)).with_suffix(".ptx")
        made = nvrtc.compile(source)
        if asked.check and (not target.exists() or target.read_bytes() != made):
            sys.exit(f"{target} is not what {source.name} gives; run kernels/compile.py")
        if not asked.check:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(made)
        for ptxas, processors in ASSEMBLERS.items():
            for processor in processors:
                lines = assemble(target, ptxas, processor)
                if processor == "sm_90a" or asked.stems:
                    print(f"{source.relative_to(HERE)} for {processor}", *lines, sep="\n")
    expected = {s.relative_to(HERE).with_suffix("").as_posix() for s in sources}
    there = {p.relative_to(PTX).with_suffix("").as_posix() for p in PTX.rglob("*.ptx")}
    if not asked.stems and there - expected:
        sys.exit(f"no source for ptx/{', '.join(sorted(there - expected))}; remove them")


main()
