"""`./blog test`: install what the tests need, then run lint, types and tests, and say what was left out."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tool:
    """A program that some tests need, by the name that `--without` knows; several may go by one name."""

    name: str
    purpose: str
    programs: tuple[str, ...]  # one of them is enough
    packages: tuple[str, ...]  # Debian's, which bring it

    def find(self) -> str | None:
        """Return the program's path, if the machine has it."""
        return next(filter(None, map(shutil.which, self.programs)), None)


BROWSER = Tool(
    "browser",
    "pages in Chromium, and axe on them",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    ("chromium", "fonts-noto-core", "fonts-noto-cjk"),
)
JAVA = Tool("java", "the Nu HTML checker", ("java",), ("default-jre-headless",))
NODE = Tool("node", "npm, which brings axe and the Nu HTML checker", ("npm",), ("nodejs", "npm"))
TOOLS = (
    BROWSER,
    JAVA,
    NODE,
    Tool("feeds", "feeds in a real reader", ("newsboat",), ("newsboat",)),
    Tool("paper", "the words on printed sheets", ("pdftotext",), ("poppler-utils",)),
    Tool("servers", "the configuration for nginx", ("nginx", "/usr/sbin/nginx"), ("nginx",)),
    Tool("servers", "the configuration for Caddy", ("caddy",), ("caddy",)),
    Tool("servers", "a certificate for both", ("openssl",), ("openssl",)),
    Tool("office", "kits through a word processor and back", ("soffice",), ("libreoffice-writer-nogui",)),
    Tool("systemd", "the unit for systemd", ("systemd-analyze",), ("systemd",)),
    Tool("mail", "letters through a real relay", ("/usr/sbin/postfix",), ("postfix",)),
    Tool("mail", "the relay's way to mailboxes", ("/usr/lib/dovecot/lmtp",), ("dovecot-lmtpd",)),
    Tool("mail", "mailboxes", ("/usr/lib/dovecot/imap",), ("dovecot-imapd",)),
    Tool("mail", "what a spam filter makes of letters", ("spamassassin",), ("spamassassin",)),
    Tool("mail", "letters in a terminal", ("neomutt",), ("neomutt",)),
    Tool("mail", "the order in which the mailroom writes and sends", ("strace",), ("strace",)),
)
CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
}
#: pytest runs twice. Most tests run beside each other, with a worker for each processor, and who is done takes over
#: from who is not; those that measure time (`@pytest.mark.alone`) come afterwards, by themselves. Before a caller's own
#: arguments stands what they may change, after them what they may not. tests/conftest.py is told the run's name.
RUNS = {
    "together": (["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"], []),
    "alone": ([], ["-n", "0"]),
}
NOTHING_CHOSEN = 5  # pytest's exit code


@dataclass(frozen=True)
class Outcome:
    """One line of the summary."""

    what: str
    verdict: str
    detail: str


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", root: Path) -> None:
    """Register `test`."""
    parser = subparsers.add_parser(
        "test",
        help="install what the tests need and run lint, types and tests",
        description="Install what the tests need, the browser included, and run ruff, mypy and pytest. "
        "What this machine cannot run is a failure unless named with --without. Further arguments go to pytest.",
        usage="blog test [-h] [--without NAMES] [pytest arguments ...]",
        allow_abbrev=False,
    )
    names = list(dict.fromkeys(tool.name for tool in TOOLS))
    parser.add_argument(
        "--without",
        metavar="NAMES",
        default="",
        help=f"comma-separated, what to leave out: {', '.join(names)}",
    )

    def run(args: argparse.Namespace) -> int:
        without = {name for name in args.without.split(",") if name}
        if unknown := without.difference(names):
            parser.error(f"--without {','.join(sorted(unknown))}: unknown, it may name {', '.join(names)}")
        return run_tests(root, without, args.rest)

    parser.set_defaults(run=run, takes_rest=True)

    benchmark = subparsers.add_parser(
        "benchmark",
        help="measure how long a build takes as languages are added",
        description="Build a generated corpus in a growing number of languages, beside plain Pelican and, where it is "
        "installed in .venv, i18n_subsites. It measures and asserts nothing.",
    )
    benchmark.add_argument("--articles", type=int, default=1000, help="default: 1000")
    benchmark.add_argument("--languages", default="1,2,5,10", help="comma-separated counts (default: 1,2,5,10)")
    benchmark.set_defaults(run=lambda args: run_benchmark(root, args))


def run_benchmark(root: Path, args: argparse.Namespace) -> int:
    """Measure the build."""
    from .benchmark import run

    return run(root, args.articles, [int(count) for count in args.languages.split(",")])


def run_tests(root: Path, without: set[str], pytest_arguments: list[str]) -> int:
    """Run every check, even after one has failed, and print what passed, failed and was left out."""
    environment, outcomes = install_tools(root, without)
    outcomes += [run_check(root, environment, what, command) for what, command in CHECKS.items()]
    tests = []
    for run, (before, after) in RUNS.items():
        command = ["pytest", *before, *pytest_arguments, *after]
        tests.append(run_check(root, environment | {"BLOG_TEST_RUN": run}, f"pytest {run}", command))
    outcomes += tests
    if all(outcome.verdict == "empty" for outcome in tests):
        outcomes.append(Outcome("pytest", "failed", "no test was chosen"))
    print("\n== Summary")
    for outcome in outcomes:
        print(f"{outcome.what:15} {outcome.verdict:9} {outcome.detail}")
    return int(any(outcome.verdict == "failed" for outcome in outcomes))


def run_check(root: Path, environment: dict[str, str], what: str, command: list[str]) -> Outcome:
    """Run one check to its end."""
    print(f"\n== {what}", flush=True)
    started = time.monotonic()
    code = subprocess.run([sys.executable, "-m", *command], cwd=root, env=environment, check=False).returncode
    verdict = {0: "passed", NOTHING_CHOSEN: "empty"}.get(code, "failed")
    detail = f"{time.monotonic() - started:.1f} s" + (f", exit code {code}" if code else "")
    return Outcome(what, verdict, detail)


def install_tools(root: Path, without: set[str]) -> tuple[dict[str, str], list[Outcome]]:
    """Install what is missing; return the environment that tells the tests, and what is missing all the same."""
    wanted = [tool for tool in TOOLS if tool.name not in without]
    outcomes = [Outcome(name, "left out", f"--without {name}") for name in sorted(without)]
    install_packages([package for tool in wanted if not tool.find() for package in tool.packages])
    found = {tool: path for tool in wanted if (path := tool.find())}
    if BROWSER in wanted and BROWSER not in found and (path := playwright_chromium()):
        found[BROWSER] = path
    for tool in wanted:
        if tool not in found:
            remedy = f"install {tool.packages[0]} ({tool.purpose}) or run with --without {tool.name}"
            outcomes.append(Outcome(tool.name, "failed", remedy))

    environment = {name: value for name, value in os.environ.items() if not name.startswith("BLOG_TEST_")}
    environment["BLOG_TEST_WITHOUT"] = ",".join(sorted(without))
    if chromium := found.get(BROWSER):
        environment["BLOG_TEST_CHROMIUM"] = chromium
    if npm := found.get(NODE):
        modules = root / "tests" / "node_modules"
        if not install_node_tools(npm, modules):
            outcomes.append(Outcome("npm ci", "failed", "tests/package-lock.json could not be installed: see above"))
        environment["BLOG_TEST_AXE"] = str(modules / "axe-core" / "axe.min.js")
        if JAVA in found:
            environment["BLOG_TEST_VNU"] = str(modules / "vnu-jar" / "build" / "dist" / "vnu.jar")
    return environment, outcomes


def install_packages(packages: list[str]) -> None:
    """Install Debian's packages where we may; what is then still missing shows by itself."""
    apt = shutil.which("apt-get")
    if not packages or apt is None or not is_root():
        return
    print(f"Installing {' '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "--no-remove", *packages]):
        subprocess.run([apt, "-qq", *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)


def is_root() -> bool:
    """Whether this process may install packages."""
    return sys.platform != "win32" and os.geteuid() == 0


def playwright_chromium() -> str | None:
    """Let Playwright download its own Chromium, and return its path."""
    print("Installing Playwright's Chromium", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, stdout=subprocess.DEVNULL)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


def install_node_tools(npm: str, modules: Path) -> bool:
    """Install exactly what the lock names, unless that was done before; return whether it is in place."""
    lock = (modules.parent / "package-lock.json").read_bytes()
    done = modules / ".blog-lock"
    if done.exists() and done.read_bytes() == lock:
        return True
    print("Installing the Node test tools", flush=True)
    installed = subprocess.run([npm, "ci", "--loglevel=error"], cwd=modules.parent, check=False).returncode == 0
    if installed:
        done.write_bytes(lock)
    return installed
