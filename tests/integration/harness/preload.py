"""Libraries that stand between trestled and the system (LD_PRELOAD)."""
import os
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).parent


def preload(folder, name):
    """The environment for a trestled under <name>.c, which is compiled into `folder`."""
    library = folder / f"{name}.so"
    if not library.exists():
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, FOLDER / f"{name}.c", "-ldl"],
                       check=True)
    sanitizer = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": sanitizer + ":verify_asan_link_order=0"}
