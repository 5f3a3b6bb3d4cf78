"""A loop of cases fails as clearly as cases that are tests of their own."""

import pytest

from .cases import for_each


def test_every_failure_is_told_with_its_case():
    @for_each("number, text", [(1, "1"), (2, "3"), (3, "3"), (4, "5")])
    def check(number, text):
        assert str(number) == text

    with pytest.raises(BaseExceptionGroup, match="2 of 4 cases failed") as caught:
        check()
    notes = [error.__notes__ for error in caught.value.exceptions]
    assert notes == [["case: number=2, text='3'"], ["case: number=4, text='5'"]]


def test_a_single_failure_is_itself():
    @for_each("right", [True, False])
    def check(right):
        with pytest.raises(ZeroDivisionError):
            1 / (not right)

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE") as caught:
        check()
    assert caught.value.__notes__ == ["case: right=False"]


def test_loops_nest_and_run_every_pair():
    seen = []

    @for_each("one", "ab")
    @for_each("other", [1, 2])
    def check(one, other):
        seen.append((one, other))

    check()
    assert seen == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


@for_each("number", [0, 1])
def test_fixtures_reach_every_case(number, tmp_path):
    (tmp_path / str(number)).touch()
    assert len(list(tmp_path.glob("[01]"))) == number + 1


def test_what_could_not_fail_is_refused():
    async def later(number):
        raise AssertionError

    with pytest.raises(ValueError, match="without cases"):
        for_each("number", [])
    with pytest.raises(TypeError, match="await"):
        for_each("number", [1])(later)
