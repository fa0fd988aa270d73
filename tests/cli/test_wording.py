"""`yinuo wording`: what is said on the telephone (R40)."""

from __future__ import annotations

from pathlib import Path

from cli.console import ExitCode
from domain.scripts import Script
from runtime.wording import OWN
from tests.support.running_desk import Yinuo, run_yinuo


def test_scripts_are_checked_without_servers_and_refused_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "wording.toml"
    file.write_text(OWN.read_text(encoding="utf-8"), encoding="utf-8")
    ran = run_yinuo("wording", "check", str(file))
    assert ran.code == 0
    assert "请您稍等" in ran.out
    text = file.read_text(encoding="utf-8").replace("请您稍等", "{weather}请您稍等")
    file.write_text(text, encoding="utf-8")
    ran = run_yinuo("wording", "check", str(file))
    assert ran.code == ExitCode.INVALID
    assert "searching[1].zh: there is no {weather} here" in ran.err
    assert "line " in ran.err


def test_the_desk_came_up_with_its_scripts_and_shows_them(yinuo: Yinuo) -> None:
    ran = yinuo("wording", "show", "greeting")
    assert "响铃两声或三秒之内" in ran.out
    assert "请问有什么可以帮您" in ran.out
    assert "请您稍等" not in ran.out
    assert set(yinuo("wording", "show", "--json").json["scripts"]) == set(Script)


def test_another_wording_counts_as_soon_as_it_is_loaded(yinuo: Yinuo, tmp_path: Path) -> None:
    assert "Nothing to do" in yinuo("wording", "import", str(OWN)).out
    file = tmp_path / "ours.toml"
    text = OWN.read_text(encoding="utf-8").replace("请您稍等", "麻烦您稍等")
    file.write_text(text, encoding="utf-8")
    assert yinuo("wording", "import", str(file)).code == 0
    assert "麻烦您稍等" in yinuo("wording", "show", "searching").out
    assert yinuo("wording", "import", str(OWN)).code == 0
