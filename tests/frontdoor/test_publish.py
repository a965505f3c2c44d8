"""`./blog publish`: checked, built, deployed, and what follows; what fails ends it, before more is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from multilingual.errors import ConfigurationError
from multilingual.publish import deploy, read_command

from tests.frontdoor.support import ROOT, copy_project, lend_environment, run_blog
from tests.multilingual.sites import Site

#: Deploys by writing down with what it was called, and from where.
DEPLOY = """\
import json, os, pathlib, sys
pathlib.Path("deployed.json").write_text(json.dumps([os.getcwd(), *sys.argv[1:]]))
print("copied")
sys.exit(int(os.environ.get("FAILS", 0)))
"""
#: A part that has something to do when the site is online.
PART = """\
import os
def add_commands(subparsers, root):
    pass
class Mistake(Exception):
    remedy = "mend it"
def follow_publish(root):
    if os.environ.get("MISTAKE"):
        raise Mistake("NEWSLETTER_PROVIDER is wrong")
    def follow():
        print("following", (root / "deployed.json").exists())
        return int(os.environ.get("FOLLOWER", 0))
    return follow
"""
MAILROOM = {"MAILROOM_URL": "https://site.example/mail/", "MAILROOM_SENDER": "letters@site.example"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A small site with the front door, a mailroom, and a part that follows; nothing outside names a command."""
    for name in [name for name in os.environ if name.startswith(("MAILROOM_", "PUBLISH_"))]:
        monkeypatch.delenv(name)
    site = Site(tmp_path, MULTILINGUAL_LANGUAGES={"en": {}})
    site.article("en", "one", Summary="Summary.")
    copy_project(site.folder, "blog", "requirements.txt", "plugins/multilingual", "mailroom")
    lend_environment(site.folder)
    (site.folder / "publishconf.py").write_text(
        "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent))\n"
        "from pelicanconf import *\nMULTILINGUAL_DRAFTS = False\n",
        "utf-8",
    )
    (site.folder / "plugins" / "newsletter").mkdir()
    (site.folder / "plugins" / "newsletter" / "commands.py").write_text(PART, "utf-8")
    (site.folder / "deploy.py").write_text(DEPLOY, "utf-8")
    set_command(site.folder, f"'{sys.executable}' deploy.py {{output}}/ 'two words;' $HOME *")
    return site


def set_command(folder: Path, command: str, **more: str) -> None:
    lines = {"PUBLISH_COMMAND": f'"{command}"'} | more
    # As an editor of Windows' saves it.
    text = "".join(f"{name}={value}\r\n" for name, value in lines.items())
    (folder / ".env").write_bytes(b"\xef\xbb\xbf" + text.encode())


def test_what_is_right_is_built_deployed_and_followed_up(project: Site) -> None:
    (project.folder / ".env").write_bytes((project.folder / ".env").read_bytes() + b"MAILROOM_RELAY=\r\n")
    result: subprocess.CompletedProcess[str] = run_blog(
        project.folder, "publish", **MAILROOM, MAILROOM_BOUNCE_DOMAIN="bounces.site.example"
    )
    assert result.returncode == 0, result.stderr
    # No shell has looked at it.
    words = [str(project.folder), f"{project.output}/", "two words;", "$HOME", "*"]
    assert json.loads((project.folder / "deployed.json").read_text()) == words
    assert project.has("en/one/")
    said = result.stdout.splitlines()
    order = ["Built ", "Deploying by ", "copied", "Published.", "following True", "Letters from site.example need"]
    places = [next(place for place, line in enumerate(said) if line.startswith(start)) for start in order]
    assert places == sorted(places)
    assert "  TXT _dmarc.site.example" in said
    assert "./blog mailroom doctor" in said[-1]
    assert "letters@" not in result.stdout


@pytest.mark.parametrize("failure", ["command", "follower"])
def test_a_step_that_fails_ends_it_with_its_code(project: Site, failure: str) -> None:
    environment = {"FAILS": "7"} if failure == "command" else {"FOLLOWER": "5"}
    result: subprocess.CompletedProcess[str] = run_blog(project.folder, "publish", **environment, **MAILROOM)
    assert result.returncode == (7 if failure == "command" else 5)
    assert ("following" in result.stdout) == (failure == "follower")
    assert "DNS" not in result.stdout
    if failure == "command":
        name = Path(sys.executable).name
        last = result.stderr.splitlines()[-1]
        assert last.startswith(f"PUBLISH_COMMAND: {name} failed with 7, ")


def test_what_is_wrong_is_neither_built_nor_deployed(project: Site) -> None:
    project.article("en", "two", "[Gone]({filename}/articles/en/gone.md)", Summary="Summary.")
    result: subprocess.CompletedProcess[str] = run_blog(project.folder, "publish")
    assert result.returncode == 1
    assert "gone.md" in result.stderr
    assert result.stderr.splitlines()[-1] == "Nothing was published."
    assert not project.output.exists()
    assert not (project.folder / "deployed.json").exists()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PUBLISH_COMMAND": ""}, "blog: PUBLISH_COMMAND = '': say in the environment or in .env"),
        ({"PUBLISH_COMMAND": "no-such-program {output}"}, "no such program"),
        ({"MISTAKE": "1"}, "blog: NEWSLETTER_PROVIDER is wrong"),
        ({"MAILROOM_SENDERS": "x"}, "MAILROOM_SENDER"),
    ],
)
def test_what_is_not_set_is_said_before_anything_is_built(
    project: Site, environment: dict[str, str], said: str
) -> None:
    result: subprocess.CompletedProcess[str] = run_blog(project.folder, "publish", **environment)
    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not project.output.exists()


def test_a_command_is_not_repeated_in_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_COMMAND", "upload --password 'hunter2")
    with pytest.raises(ConfigurationError, match="quot") as raised:
        read_command(tmp_path)
    assert "hunter2" not in str(raised.value)


def test_the_environment_wins_and_a_program_of_the_project_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_command(tmp_path, "rsync-of-nobody")
    (tmp_path / "deploy.sh").touch(0o755)
    monkeypatch.setenv("PUBLISH_COMMAND", "./deploy.sh --to=x:{output}")
    assert read_command(tmp_path) == ["./deploy.sh", "--to=x:{output}"]


def test_a_command_that_was_killed_has_failed(tmp_path: Path) -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert deploy([sys.executable, "-c", program], tmp_path, tmp_path) == 128 + 15


def test_builds_read_what_env_says_and_no_template_sees_the_rest(tmp_path: Path) -> None:
    copy_project(tmp_path, "publishconf.py", "pelicanconf.py")
    stated = {"PRIVACY_HOST": "A host", "PRIVACY_HOST_COUNTRY": "IS", "NEWSLETTER_SIGNUP": "/mail/subscribe"}
    set_command(tmp_path, "upload", **stated, MAILROOM_RELAY_PASSWORD="hunter2")
    program = (
        "from pelican.settings import get_settings_from_file\n"
        "settings = get_settings_from_file('publishconf.py')\n"
        f"print([settings[name] for name in {list(stated)}], 'hunter2' in repr(settings))"
    )
    for environment, expected in (
        ({}, ["A host", "IS", "/mail/subscribe"]),
        ({"NEWSLETTER_SIGNUP": "elsewhere"}, ["A host", "IS", "elsewhere"]),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == f"{expected} False"


def test_the_project_offers_what_publishing_asks_for() -> None:
    assert run_blog(ROOT, "publish", "--help").returncode == 0
