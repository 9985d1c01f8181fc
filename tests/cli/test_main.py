"""How a command line ends: exit codes, streams, and no traceback whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from raftsim import __version__
from raftsim.cli import main as main_module
from raftsim.cli.go import GoGroup
from raftsim.cli.main import main
from tests.cli.stub import Stub
from tests.cli.terminal import COMMAND, TIMEOUT_S, environment, run, run_on_terminal


@pytest.mark.parametrize("args", [["version"], ["-v"], ["-version"], ["--version"]])
def test_the_version(args: list[str]) -> None:
    assert run(*args) == (0, f"raftsim v{__version__}\n", "")


@pytest.mark.parametrize("flag", ["-json", "--json"])
def test_the_version_as_json(flag: str) -> None:
    assert run("version", flag).out == f'{{\n    "Version": "{__version__}"\n}}\n'


@pytest.mark.parametrize("args", [[], ["operator"], ["operator", "raft"], ["var"]])
def test_a_group_alone_shows_its_help_as_an_error(args: list[str]) -> None:
    code, out, err = run(*args)
    assert (code, out) == (1, "")
    assert err == run(*args, "-help").out
    assert err.startswith(" ".join(["Usage: raftsim", *args]))


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_is_a_success(flag: str) -> None:
    code, out, err = run("operator", "raft", "list-peers", flag)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: raftsim operator raft list-peers [options]\n")


@pytest.mark.parametrize(
    ("args", "code", "first", "path"),
    [
        (["versoin"], 127, 'Unknown command "versoin". Did you mean "version"?', "raftsim"),
        (["operator", "rift"], 127, 'Unknown command "rift". Did you mean "raft"?', "raftsim operator"),
        (["version", "x"], 1, "This command takes no arguments", "raftsim version"),
        (["version", "-x"], 1, "flag provided but not defined: -x", "raftsim version"),
        (["-x"], 1, "flag provided but not defined: -x", "raftsim"),
        (["var", "get"], 1, "This command takes one argument: <path>", "raftsim var get"),
    ],
)
def test_wrong_usage_points_to_the_help(args: list[str], code: int, first: str, path: str) -> None:
    assert run(*args) == (code, "", f"{first}\nFor additional help try '{path} -help'\n")


def test_wrong_usage_has_the_code_of_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = main_module.raftsim.get_command(None, "version")  # type: ignore[arg-type]
    monkeypatch.setattr(probe, "usage_code", 2)
    assert main(["version", "x"]) == 2


@pytest.fixture
def dead_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_server_that_is_down(dead_address: str) -> None:
    args = ("operator", "raft", "list-peers")
    error = f"Failed to retrieve raft configuration: cannot reach {dead_address}: Connection refused\n"
    assert run(*args, NOMAD_ADDR=dead_address) == (1, "", error)
    code, shown = run_on_terminal(*args, NOMAD_ADDR=dead_address)
    assert code == 1
    assert shown.startswith(error + "Hint: is it running?")


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("https://127.0.0.1:4646", 'TLS is not supported, use http instead of "https://127.0.0.1:4646"'),
        ("127.0.0.1:4646", 'invalid address "127.0.0.1:4646": it has the form http://host:port'),
        ("http://", 'invalid address "http://": it has the form http://host:port'),
        ("http://h:99999", 'invalid address "http://h:99999": Port out of range 0-65535'),
        ("unix:///tmp/x", 'invalid address "unix:///tmp/x": it has the form http://host:port'),
    ],
)
def test_a_bad_address(address: str, error: str) -> None:
    assert run("var", "list", NOMAD_ADDR=address) == (1, "", f"Error initializing client: {error}\n")


def test_a_server_that_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        with subprocess.Popen(
            [*COMMAND, "var", "list"], stderr=subprocess.PIPE, env=environment(NOMAD_ADDR=address), text=True
        ) as process:
            server.settimeout(TIMEOUT_S)
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"SSH-2.0-x\r\n")
            _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1
    assert err.startswith(f"Error retrieving vars: {address} does not speak HTTP: ")
    assert err.count("\n") == 1


def test_a_server_that_hangs(stub: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("raftsim.cli.client.TIMEOUT_S", 0.01)
    stub.hold = "/v1/vars"
    assert main(["var", "list", f"-address={stub.address}"]) == 1
    error = f"Error retrieving vars: no answer from {stub.address} within 0.01 s\n"
    assert capsys.readouterr() == ("", error)


@pytest.mark.parametrize("token", ["a\nb", "\udcff"])
def test_a_token_that_cannot_be_sent(stub: Stub, token: str) -> None:
    code, out, err = run("var", "list", f"-token={token}", NOMAD_ADDR=stub.address)
    assert (code, out) == (1, "")
    assert err.startswith("Error retrieving vars: the request cannot be sent: ")
    assert not stub.requests


def test_control_c_is_quiet(stub: Stub) -> None:
    stub.hold = "/v1/vars"
    with subprocess.Popen(
        [*COMMAND, "var", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(NOMAD_ADDR=stub.address),
        text=True,
    ) as process:
        assert stub.arrived.wait(TIMEOUT_S)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=TIMEOUT_S) == ("", "")
    assert process.returncode == 130


@pytest.mark.parametrize("size", [1, 200_000])
def test_a_reader_that_went_away_is_no_error(stub: Stub, size: int) -> None:
    stub.on("GET", "/v1/vars", [{"Path": "x" * size}])
    stub.hold = "/v1/vars"
    with subprocess.Popen(
        [*COMMAND, "var", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(NOMAD_ADDR=stub.address),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert stub.arrived.wait(TIMEOUT_S)
        process.stdout.close()
        stub.release.set()
        assert process.stderr.read() == b""
        assert process.wait(TIMEOUT_S) == 141


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_one_line(unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "version"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(PYTHONUNBUFFERED=unbuffered),
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "raftsim: [Errno 28] No space left on device\n")


def test_closed_streams_are_no_error() -> None:
    shell = ["sh", "-c", '"$@" >&- 2>&-', "sh", *COMMAND, "version"]
    assert subprocess.run(shell, env=environment(), timeout=TIMEOUT_S, check=False).returncode == 0


def boom() -> None:
    raise KeyError("boom")


@pytest.fixture
def buggy(monkeypatch: pytest.MonkeyPatch) -> None:
    group = GoGroup("raftsim")
    group.command("boom")(boom)
    monkeypatch.setattr(main_module, "raftsim", group)


@pytest.mark.usefixtures("buggy")
def test_a_bug_leaves_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAFTSIM_HOME", str(tmp_path / "home"))
    assert main(["boom"]) == 70
    report = tmp_path / "home" / "last-crash.txt"
    assert capsys.readouterr() == (
        "",
        f"raftsim: internal error: KeyError: 'boom'\nThis is a bug in raftsim. The details are in {report}\n",
    )
    assert "in boom" in report.read_text()


@pytest.mark.usefixtures("buggy")
def test_a_bug_without_a_place_for_its_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAFTSIM_HOME", str(tmp_path / "file"))
    assert main(["boom"]) == 70
    assert "could not be saved" in capsys.readouterr().err
