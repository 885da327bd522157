# SPDX-License-Identifier: BSD-3-Clause
#
# runs.py: what is run: programs, file systems, domains, processors, and the
# shim, the bare kernel or a shim that was broken on purpose.
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    name: str
    ops: int
    source: str                 # in programs/; a .py file is run by Python
    streams: int = 1            # threads that acknowledge by themselves
    # Bytes that the program takes to be written all or not at all. LMDB takes
    # its meta page, of 144 bytes without a checksum, for one (README.md).
    atom: int = 8
    # gdbm says nothing about a cut in the middle of a change: cut only between
    # a sync that returned and the next change.
    quiet: bool = False
    environment: tuple = ()
    arms: tuple = ("shim", "kernel")
    options: str = ""           # of the shim's rule
    kernel: str = "stable"      # as tests/guest/guest --kernel
    size: str = ""              # of the medium, where it must be larger


# dirty=track: a kernel that has PAGEMAP_SCAN; only by --tracked.
def tracked(event, ops=120, options="", **more):
    return Program(f"pages-{event}", ops, "pages.c", arms=(),
                   environment=(f"POWERCUT_PAGES={event}",),
                   options=f"dirty=track,refresh=0{options}",
                   kernel="backports", **more)


PROGRAMS = {p.name: p for p in (
    Program("log", 120, "log.c"),
    Program("table", 60, "table.c", streams=2),
    # Two threads in each line, which the bare kernel loses (README.md): so
    # nothing but metadata is left to it.
    Program("together", 60, "table.c", streams=2, arms=("shim",),
            environment=("POWERCUT_TOGETHER=1",), options="refresh=0"),
    Program("tree", 150, "tree.c"),
    Program("grow", 150, "grow.c"),
    Program("remap", 100, "grow.c", environment=("POWERCUT_REMAP=1",)),
    Program("steady", 200, "steady.c"),
    Program("whole", 200, "steady.c", environment=("POWERCUT_WHOLE=1",)),
    Program("copies", 100, "copies.c"),
    Program("lmdb", 120, "lmdb_writemap.py", atom=512),
    Program("tdb", 60, "tdb_transactions.py"),
    Program("gdbm", 120, "gdbm_sync.py", quiet=True),
    Program("slices", 120, "slices.py"),
    # Times say nothing in the guest, so what is learned there is chance, and the
    # kernel and user space take over from each other all the time.
    Program("log-auto", 160, "log.c", arms=("shim",), options="mode=auto"),
    Program("tree-auto", 200, "tree.c", arms=("shim",),
            options="mode=auto,refresh=0"),
    Program("grow-auto", 150, "grow.c", arms=("shim",), options="mode=auto"),
    Program("remap-auto", 100, "grow.c", arms=("shim",), options="mode=auto",
            environment=("POWERCUT_REMAP=1",)),
    Program("whole-auto", 200, "steady.c", arms=("shim",),
            environment=("POWERCUT_WHOLE=1",), options="mode=auto,pages=small"),
    Program("lmdb-auto", 120, "lmdb_writemap.py", atom=512, arms=("shim",),
            options="mode=auto,pages=small"),
    *(tracked(event) for event in ("plain", "fork", "second", "resize")),
    tracked("large", ops=20, options=",verify=no", size="128M"),
    Program("forms", 500, "forms.c", arms=("kernel",)),
)}


@dataclass(frozen=True)
class Run:
    program: str
    fs: str
    domain: str
    cpus: int
    arm: str                    # shim, kernel or a control's name

    @property
    def name(self):
        return f"{self.program}-{self.fs}-{self.domain}-{self.cpus}cpu-{self.arm}"


def matrix(arms=("shim", "kernel")):
    """Every program on every file system and domain; two CPUs for each
    program on ADR, where a fence that drains too much would show."""
    for arm in arms:
        for program in (p.name for p in PROGRAMS.values() if arm in p.arms):
            for fs in ("ext4", "xfs"):
                yield Run(program, fs, "adr", 1, arm)
                yield Run(program, fs, "eadr", 1, arm)
                yield Run(program, fs, "adr", 2, arm)


TRACKED_CONTROLS = ("unseen-fork", "unseen-second")

# Two threads in one page, by the bare kernel and by the shim, and in pages of
# their own: README.md, "What it found".
TOGETHER = tuple(
    Run(program, fs, "adr", 2, arm)
    for fs in ("ext4", "xfs")
    for program, arm in (("together", "kernel"), ("together", "shim"),
                         ("table", "kernel")))


def must_lose(run):
    """The defect of the kernel's that README.md describes: not seeing it is a
    failure as well, of the harness, or the kernel has it mended."""
    return run.program == "together" and run.arm == "kernel"


TRACKED = tuple(Run(f"pages-{event}", fs, "adr", 1, "shim")
                for event in ("plain", "fork", "second", "resize")
                for fs in ("ext4", "xfs"))


def figures():
    """What is counted for the README: the same work by both arms."""
    for program in ("steady", "whole", "log", "tree", "lmdb", "gdbm"):
        for arm in ("kernel", "shim"):
            yield Run(program, "ext4", "adr", 1, arm)
        yield Run(program, "ext4", "eadr", 1, "shim")
    for arm in ("kernel", "shim"):
        yield Run("pages-large", "ext4", "adr", 1, arm)


# What a pull request has time for.
SAMPLE = (
    Run("log", "ext4", "adr", 1, "shim"),
    Run("log", "xfs", "adr", 2, "shim"),
    Run("lmdb", "ext4", "adr", 1, "shim"),
    Run("tree-auto", "ext4", "adr", 1, "shim"),
    Run("lmdb-auto", "ext4", "adr", 1, "shim"),
    Run("grow", "xfs", "eadr", 1, "shim"),
    Run("log", "ext4", "adr", 1, "kernel"),
    Run("forms", "ext4", "adr", 1, "kernel"),
)
SAMPLE_CONTROLS = ("no-fence", "extended-noverify")


@dataclass(frozen=True)
class Control:
    """A shim that is broken; the cuts of its run must lose something, and
    those of the same run with the shim as it is must not."""
    name: str
    run: Run
    file: str = ""              # of the shim, and what is changed in it
    old: str = ""
    new: str = ""
    options: str = ""           # a rule's options, which may be the defect


def control(name, program, fs, domain, *change, **more):
    return Control(name, Run(program, fs, domain, 1, name), *change, **more)


CONTROLS = {c.name: c for c in (
    control("no-fence", "log", "ext4", "adr", "shim/persist.c",
            "\tarch.drain();", "\t(void)0;"),
    control("last-line", "tree", "ext4", "adr", "shim/persist.c",
            "guarded(addr, len, epoch", "guarded(addr, len - 64, epoch"),
    control("stream-head", "copies", "ext4", "adr", "shim/arch/x86_64/stream.h",
            "flush(dst, s->head);", "(void)dst;"),
    # With verify=yes the look at the file's blocks and times hides these two, and
    # a mapping that was never synced is due for its refresh as well.
    control("no-map-sync", "log", "ext4", "adr", "shim/mapping.c",
            "MAP_SHARED_VALIDATE |\n\t\t\tMAP_SYNC;", "MAP_SHARED_VALIDATE;",
            options="verify=no"),
    control("no-first-call", "remap", "ext4", "adr", "shim/sync.c",
            "if (piece->view.synced_at == 0)", "if (0)",
            options="verify=no,refresh=0"),
    control("extended-noverify", "grow", "ext4", "adr", options="verify=no"),
    control("unseen-fork", "pages-fork", "ext4", "adr", "shim/dirty.c",
            "\tstop_all(STATS_STOPPED_FORK);", "\t(void)0;"),
    control("unseen-second", "pages-second", "ext4", "adr", "shim/dirty.c",
            "stop_file(st.st_dev, st.st_ino, addr, STATS_STOPPED_SHARED)",
            "(void)addr"),
    control("believed-eadr", "log", "xfs", "adr", "shim/mapping.c",
            "domain == DAX_DOMAIN_CACHE", "(domain, true)"),
)}


def whole(run):
    """The same run, options and all, with the shim as it is."""
    return Run(run.program, run.fs, run.domain, run.cpus, run.arm + "-whole")


def control_of(run):
    return CONTROLS.get(run.arm.removesuffix("-whole"))
