"""Play as states: whatever is pressed, one is at a place there is, and play ends as it says."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.interpolation import interpolate
from tui_diffusion.core.numbered_text import text_of
from tui_diffusion.interface.playback import FINE, PLAY_MODES, SPEEDS, Playback

LEVELS = st.integers(1, 60)
PLAYS = st.builds(
    lambda levels, fine, mode, speed: Playback(levels, fine=fine, mode=mode, speed=speed).go_to(0),
    LEVELS,
    st.sampled_from(FINE),
    st.sampled_from(PLAY_MODES),
    st.integers(0, len(SPEEDS) - 1),
)
KEYS = {
    "right": lambda p: p.hold().step(1),
    "left": lambda p: p.hold().step(-1),
    "home": lambda p: p.go_to(0),
    "end": lambda p: p.go_to(p.levels),
    "space": lambda p: p.hold() if p.playing else p.start(),
    "]": lambda p: p.faster(1),
    "[": lambda p: p.faster(-1),
    "m": Playback.next_mode,
    "f": Playback.finer,
    "tick": lambda p: p.tick() if p.playing else p,
    "fewer": lambda p: p.of(max(p.levels // 2, 1)),
    "more": lambda p: p.of(p.levels + 3),
}


def way(playback, ticks):
    """The positions of so many ticks, each but once while it rests."""
    positions = [playback.position]
    for _ in range(ticks):
        playback = playback.tick()
        if playback.position != positions[-1]:
            positions.append(playback.position)
        if not playback.playing:
            break
    return positions, playback


@given(PLAYS, st.lists(st.sampled_from(sorted(KEYS)), max_size=60))
def test_whatever_is_pressed_the_place_is_one_that_there_is(playback, keys):
    for key in keys:
        playback = KEYS[key](playback)
        assert 0 <= playback.position <= playback.levels
        assert (playback.position * playback.fine).is_integer(), key
        level, _, rest = text_of(playback.text).removeprefix("level ").partition(" + ")
        reached, levels = map(int, level.split("/"))
        assert (reached, levels) == (playback.level, playback.levels)
        assert reached + (Fraction(rest) if rest else 0) == playback.position
        assert 1 / 16 <= playback.interval <= 2


@given(PLAYS)
def test_once_goes_to_the_clean_level_and_holds(playback):
    playback = playback.next_mode() if playback.mode == PLAY_MODES[2] else playback
    while playback.mode != PLAY_MODES[0]:
        playback = playback.next_mode()
    positions, end = way(playback.start(), 10_000)
    assert positions[0] == 0
    assert positions[-1] == playback.levels
    assert positions == sorted(positions)
    assert not end.playing
    assert end.start().position == 0, "from the end it starts anew"


def test_a_loop_goes_on_from_the_noise():
    positions, end = way(Playback(3, mode="loop").go_to(2).start(), 40)
    assert positions[:6] == [2, 3, 0, 1, 2, 3]
    assert end.playing


def test_out_and_back_turns_at_both_ends():
    playback = Playback(2, mode="out and back", fine=2)
    assert way(playback.go_to(0).start(), 40)[0][:10] == [0, 0.5, 1, 1.5, 2, 1.5, 1, 0.5, 0, 0.5]
    assert way(playback.go_to(2).start(), 40)[0][:3] == [2, 1.5, 1], (
        "from the clean end it goes out"
    )


@pytest.mark.parametrize("mode", PLAY_MODES[1:])
@given(playback=PLAYS)
def test_an_end_rests_a_second_and_no_other_place_does(mode, playback):
    while playback.mode != mode:
        playback = playback.next_mode()
    playback, stayed = playback.start(), {}
    for _ in range(400):
        playback = playback.tick()
        stayed[playback.position] = max(playback.resting, stayed.get(playback.position, 0))
    for place, ticks in stayed.items():
        if place == playback.levels or (place == 0 and mode == PLAY_MODES[2]):
            assert (ticks + 1) * playback.interval >= 1
        else:
            assert ticks == 0


@given(PLAYS)
def test_the_tempo_is_that_of_the_levels_however_fine(playback):
    playback = playback.start()
    first = playback.tick()
    moved = first.position - playback.position
    if moved and not first.at_end:
        assert moved / playback.interval == pytest.approx(SPEEDS[playback.speed])


def test_steps_end_where_such_steps_end():
    playback = Playback(20, fine=8).go_to(12)
    for _ in range(3):
        playback = playback.step(1)
    assert text_of(playback.text) == "level 12/20 + 3/8"
    assert playback.step(1, size=4).position == 12.5
    assert playback.step(-1, size=4).position == 12
    assert text_of(playback.finer().text) == "level 12/20"
    assert text_of(playback.go_to(99).text) == "level 20/20"
    assert playback.go_to(99).step(1) == playback.go_to(20)
    assert playback.go_to(-3).step(-1).position == 0


def test_another_film_keeps_the_clean_end_or_the_place():
    assert Playback(20).go_to(20).of(10).position == 10
    assert Playback(20, fine=4).go_to(12).step(1).of(30).position == 12.25
    assert Playback(20).go_to(12).of(10).position == 10


@given(PLAYS, st.lists(st.sampled_from(sorted(KEYS)), max_size=20), LEVELS)
def test_in_step_is_the_same_share_of_the_way_to_the_sub_step(playback, keys, levels):
    for key in keys:
        playback = KEYS[key](playback)
    other = playback.in_step(levels)
    behind = Fraction(playback.position) / playback.levels - Fraction(other.position) / levels
    assert 0 <= behind < Fraction(1, levels * playback.fine)
    assert (other.position * playback.fine).is_integer()
    assert other.at_end == playback.at_end, "all are clean at once, and none before"
    assert playback.in_step(playback.levels) == playback


@given(LEVELS, st.integers(0, 10_000))
def test_between_two_levels_is_a_straight_line(levels, seed):
    rows = np.random.default_rng(seed).normal(size=(levels + 1, 3, 2))
    for k in range(levels):
        assert np.array_equal(interpolate(rows, k), rows[k])
        middle = interpolate(rows, k + 0.25)
        assert middle == pytest.approx(0.75 * rows[k] + 0.25 * rows[k + 1])
    for end in (levels, levels + 1e-12):
        assert np.array_equal(interpolate(rows, end), rows[-1])
    assert np.array_equal(interpolate(rows, -1e-12), rows[0])
