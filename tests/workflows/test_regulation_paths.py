import pytest
from tests.histories.paths import WHOLE, BEGINS
from tests.workflows.conftest import Begin

@pytest.mark.parametrize("name", WHOLE)
async def test_path(begin: Begin, name: str) -> None:
    desk = await begin(BEGINS, whole=True)
    handle = await WHOLE[name](desk)
    view = await desk.ended(handle)
    print(name, view.stage, view.outcome, view.results, view.complaints)
    for key, (due, end) in (await desk.ledger(handle)).items(): print("   ", key, due, end)
    for t in await desk.told(handle): print("      ", *t)
