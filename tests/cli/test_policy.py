"""`yinuo policy`: asked of a policy file, so that no server runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from domain.sla.explanation import Explained, Explanation
from domain.sla.planning import Planner
from domain.sla.promise import PromiseKind
from inbound.files.roster import read_roster
from runtime import postgres
from runtime.rulebook import load
from runtime.settings import ROOT
from store import roster, rulebooks
from tests.support.running_desk import Ran, run_yinuo

STANDARD = ROOT / "policies" / "standard.toml"
NOTICES = ROOT / "policies" / "cn_workdays.json"
FACTS = "--product-line ATM --region 广东 --centre guangzhou"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty columns, and no desk: nothing of these commands may need one."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("YINUO_HOME", "/nonexistent")


def explain(*arguments: str, policy: Path = STANDARD) -> Ran:
    at = ("--at", "2026-09-30 17:00", "--policy", str(policy))
    return run_yinuo("policy", "explain", *FACTS.split(), *at, *arguments)


def explained(*arguments: str, policy: Path = STANDARD) -> Explanation:
    ran = explain(*arguments, "--json", policy=policy)
    assert ran.code == 0, ran.err
    return Explanation.model_validate_json(ran.out)


def of(found: Explanation, kind: PromiseKind) -> Explained:
    return next(each for each in found.promises if each.promise is kind)


def test_the_first_rule_that_matches_is_taken_and_the_others_say_why_not() -> None:
    ran = explain("--kind", "fault", "--severity", "major", "--calendar", "desk")
    assert ran.code == 0, ran.err
    shown = [line.rstrip() for line in ran.out.splitlines()]
    response = shown.index("响应 response")
    assert shown[response + 1 : response + 7] == [
        "  ✓ major_response      first match",
        "  ✗ complaint_response  kind: wanted complaint, is fault",
        "  - general_response    fits too, but comes later",
        "    时限 Within    30min of elapsed time, day and night",
        "    日历 Calendar  desk, the service centre's own",
        "    到期 Due       2026-09-30 Wed 17:30",
    ]
    told = [line.split() for line in shown[response + 10 : response + 14]]
    assert told == [
        ["75%", "2026-09-30", "Wed", "17:22", "handler,", "lead"],
        ["100%", "2026-09-30", "Wed", "17:30", "handler,", "customer,", "lead", "lead"],
        ["+30min", "2026-09-30", "Wed", "18:00", "manager", "manager"],
        ["+2h", "2026-09-30", "Wed", "19:30", "gm_office", "gm_office"],
    ]
    assert max(map(cell_len, shown)) <= 80


def test_a_rule_that_is_passed_over_names_each_field_with_what_it_wanted() -> None:
    found = explained("--kind", "consultation", "--calendar", "desk")
    tried = {each.rule: each for each in of(found, PromiseKind.RESPONSE).tried}
    assert [each.rule for each in tried.values() if each.taken] == ["general_response"]
    (wrong,) = tried["complaint_response"].mismatches
    assert (wrong.field, wrong.wanted, wrong.found) == ("kind", ("complaint",), "consultation")


def test_the_instants_are_those_the_desk_would_promise() -> None:
    found = explained("--kind", "fault", "--calendar", "west", "--generation", "2")
    assert found.version == load(STANDARD).version
    planner = Planner(load(STANDARD), found.facts, "west")
    for kind in PromiseKind:
        assert of(found, kind).planned == planner.make(kind, found.at)
    resolution = of(found, PromiseKind.RESOLUTION).planned
    assert resolution is not None
    assert (resolution.calendar, resolution.generation) == ("west", 2)


def test_how_it_came_in_and_whether_its_customer_can_be_written_to_may_be_asked() -> None:
    asked = ("--kind", "consultation", "--calendar", "desk", "--channel", "email")
    usual, by_call = explained(*asked), explained(*asked, "--by-call")
    for found in (usual, by_call):
        (hand_over,) = (t.rule for t in of(found, PromiseKind.HAND_OVER).tried if t.taken)
        assert hand_over == "mail_hand_over"
    assert of(usual, PromiseKind.REPLY).taken is None
    (reply,) = (t.rule for t in of(by_call, PromiseKind.REPLY).tried if t.taken)
    assert reply == "spoken_reply"


def test_a_kind_of_promise_that_no_rule_fits_is_said_not_to_be_made() -> None:
    found = explained("--kind", "sales", "--calendar", "desk")
    assert of(found, PromiseKind.CALLBACK).taken is None
    shown = explain("--kind", "sales", "--calendar", "desk").out
    assert "✗ callback" in shown
    assert "no rule fits: not promised" in shown


def test_without_the_centres_calendar_there_are_instants_only_where_it_does_not_matter() -> None:
    found = explained("--kind", "fault")
    assert of(found, PromiseKind.RESOLUTION).planned is None
    assert of(found, PromiseKind.CALLBACK).planned is not None
    assert "name it with --calendar" in explain("--kind", "fault").out


def test_a_provisional_instant_is_said_to_be_one() -> None:
    asked = ("--kind", "fault", "--calendar", "desk", "--at", "2026-12-31 17:00")
    assert "到期 Due       2027-01-06 Wed 18:00  暂定 provisional" in explain(*asked).out


def test_a_good_policy_is_summed_up() -> None:
    ran = run_yinuo("policy", "check", str(STANDARD))
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"standard · {load(STANDARD).version}\n")
    said = " ".join(ran.out.split())
    assert "major_response, complaint_response, general_response" in said
    assert (
        "individuals → 客户服务部 customer_service; customers → 客户成功部 customer_success" in said
    )
    assert "customer_success; prospects → 销售部 sales" in said
    assert "fault (故障报修), complaint (投诉)" in said
    assert "20% in technical_service" in said
    assert "above ¥20,000.00" in said
    assert "desk, west, callback, everyday, night, always" in ran.out
    assert "CN until 2026-12-31" in ran.out
    assert "08:30 on the next working day of desk" in said


def test_a_report_that_nobody_is_sent_is_said_by_the_check(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    text = STANDARD.read_text("utf-8")
    policy.write_text(text.replace('pay = ["gm_office"]', "pay = []"), "utf-8")
    ran = run_yinuo("policy", "check", str(policy))
    assert "无人接收 sent to nobody: pay" in " ".join(ran.out.split())


def test_the_check_warns_of_a_role_that_may_not_read_what_it_is_named_for(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    text = STANDARD.read_text("utf-8").replace('pay = ["gm_office"]', 'pay = ["lead"]')
    policy.write_text(text.replace('quality = ["gm', 'quality = ["lead", "gm'), "utf-8")
    said = " ".join(run_yinuo("policy", "check", str(policy)).out.split())
    assert "[reports.to] pay: 组长 lead 无权查看，不会收到 may not read it" in said
    assert "[reports.to] pay: 无人接收 nobody is left to read it: name manager, gm_office" in said
    assert "[reports.to] quality: 组长 lead 无权查看" in said
    assert "[reports.to] quality: 无人接收" not in said


@pytest.mark.parametrize("command", ["check", "import"])
def test_what_is_wrong_with_a_policy_is_said_with_its_place(command: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    text = STANDARD.read_text("utf-8")
    policy.write_text(text.replace('within = "30min"', 'within = "30 minutes"'), "utf-8")
    line = text[: text.index('within = "30min"')].count("\n") + 1
    ran = run_yinuo("policy", command, str(policy))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f'{policy}, line {line}: promise[1].within: "30 minutes" is no')


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--kind fault --calendar nowhere", "there is no calendar nowhere; there are: always"),
        ("--kind fault --at noon", '--at: "noon" is no time'),
        ("--kind grudge", "kind: the policy has no grudge; it has: consultation (咨询), fault ("),
        (
            "--kind fault --category grudge",
            "category: the policy has no grudge; it has: technical (技术质量), ",
        ),
        ("--kind fault --generation 0", "generation"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_sentence(arguments: str, sentence: str) -> None:
    ran = explain(*arguments.split())
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


def test_what_cannot_be_planned_is_refused_with_its_line_by_a_check_and_before_an_import(
    tmp_path: Path,
) -> None:
    text, policy = STANDARD.read_text("utf-8"), tmp_path / "policy.toml"
    rule = 'name = "general_resolution"'
    at = text.index('within = "3 working days"', text.index(rule))
    number = text.count("\n", 0, at) + 1
    place = text.count("[[promise]]", 0, at)
    policy.write_text(text[:at] + text[at:].replace("3 working", "9999999 working", 1), "utf-8")
    for command in ("check", "import"):
        ran = run_yinuo("policy", command, str(policy))
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(f"{policy}, line {number}: promise[{place}].within: ")
        assert '"9999999 working days" is more than ten years' in ran.err
    named_day = '[calendars.x]\nweek = {}\noverrides.2026-12-01 = ["08:00-09:00"]\n\n'
    dry = text.replace("[marks]", f"{named_day}[marks]")
    policy.write_text(dry, "utf-8")
    ran = run_yinuo("policy", "check", str(policy))
    assert "calendars.x: it has no open hour any more after" in ran.err


@pytest.fixture
async def registers(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers with the standard policy and the example's roster."""
    async with postgres.pool(postgres_url, size=1) as pool, pool.acquire() as connection:
        await rulebooks.adopt(connection, load(STANDARD), by="test", note="")
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    monkeypatch.setenv("DATABASE_URL", postgres_url)


def test_the_desk_is_asked_for_its_own_policy_and_the_centre_of_the_region(
    registers: None,
) -> None:
    ran = run_yinuo(
        *("policy", "explain", "--kind", "fault", "--product-line", "ATM", "--region", "新疆"),
        *("--at", "2026-09-30 17:00", "--json"),
    )
    assert ran.code == 0, ran.err
    found = Explanation.model_validate_json(ran.out)
    assert (found.version, found.facts.centre) == (load(STANDARD).version, "urumqi")
    response = of(found, PromiseKind.RESPONSE).planned
    assert response is not None
    assert (response.calendar, response.due_at.hour) == ("west", 11)  # 19:00 in Shanghai


def test_a_centre_or_region_that_is_not_on_the_roster_is_refused(registers: None) -> None:
    asked = ("policy", "explain", "--kind", "fault", "--product-line", "ATM", "--region")
    nowhere = run_yinuo(*asked, "Mars")
    assert (nowhere.code, nowhere.out) == (2, "")
    assert nowhere.err.startswith("--region: no service centre serves Mars")
    nobody = run_yinuo(*asked, "广东", "--centre", "olympus")
    assert (nobody.code, nobody.out) == (2, "")
    assert nobody.err.startswith("--centre: there is no service centre olympus")


def test_loading_what_the_desk_goes_by_already_does_nothing(registers: None) -> None:
    for arguments in (("policy", "import", str(STANDARD)), ("calendar", "import", str(NOTICES))):
        ran = run_yinuo(*arguments)
        assert ran.code == 0, ran.err
        assert ran.out.startswith("Nothing to do: the desk goes by this already")


def test_a_desk_without_a_policy_says_how_it_gets_one(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    ran = run_yinuo("calendar", "show")
    assert (ran.code, ran.out) == (3, "")
    assert "the desk has no policy yet: run `yinuo migrate`" in ran.err


def test_a_desk_that_is_away_leaves_the_way_by_a_file() -> None:
    away = run_yinuo("policy", "explain", *FACTS.split(), "--kind", "fault")
    assert (away.code, away.out) == (6, "")
    assert "--policy FILE asks a policy file instead" in away.err
    loading = run_yinuo("policy", "import", str(STANDARD))
    assert (loading.code, loading.out) == (6, "")
    assert "--policy" not in loading.err  # a file cannot be loaded into a file
