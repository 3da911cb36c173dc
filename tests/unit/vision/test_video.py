"""Files become frames with times; what cannot be decoded is skipped and told, or refused in one line."""

from __future__ import annotations

import struct
from itertools import pairwise

import av
import numpy as np
import pytest

from reid_core.errors import NotAVideoError
from reid_core.types import ClockQuality
from reid_core.vision.video import VideoFile, open_source, probe


def number_of(frame) -> int:
    return round((float(frame.image.mean()) - 20) / 8)


def test_frames_come_in_order_with_their_index_time_and_pixels(make_video):
    source = open_source(make_video())
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(20))
    assert [number_of(frame) for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == pytest.approx([index / 10 for index in range(20)])
    assert source.problems == ()
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.flags.c_contiguous


def test_info_says_size_rate_length_and_clock(make_video):
    info = probe(make_video(), start_time_s=99.0)
    assert (info.width, info.height, info.fps, info.frame_count) == (64, 48, 10.0, 20)
    assert (info.start_time_s, info.clock_quality) == (99.0, ClockQuality.STATED)


def test_start_comes_from_the_container_where_nobody_states_it(make_video):
    path = make_video(metadata={"creation_time": "2026-01-01T08:00:00Z"})
    source = open_source(path)
    assert source.info.clock_quality is ClockQuality.CONTAINER
    assert next(source.frames()).time_s == 1767254400.0


def test_colours_are_bgr(make_video):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 2] = 250
    blue, green, red_seen = next(open_source(make_video([red] * 3)).frames()).image.mean(axis=(0, 1))
    assert red_seen > 230
    assert max(blue, green) < 20


def test_frames_from_an_index_equal_the_tail_of_all_frames(make_video):
    path = make_video(stamps=[100 * number + 7 * (number % 3) for number in range(20)])
    everything = list(open_source(path).frames())
    tail = list(open_source(path).frames(first_index=13))
    assert [(frame.index, frame.time_s) for frame in tail] == [(frame.index, frame.time_s) for frame in everything[13:]]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(tail, everything[13:], strict=True))
    assert list(open_source(path).frames(first_index=20)) == []


def test_source_can_be_read_again_and_left_early(make_video):
    source = open_source(make_video())
    running = source.frames()
    next(running)
    running.close()
    assert len(list(source.frames())) == 20
    source.close()


def test_closing_ends_a_running_reader(make_video):
    source = open_source(make_video())
    running = source.frames()
    next(running)
    source.close()
    assert len(list(running)) < 20


def test_several_threads_decode_the_same_frames(make_video):
    path = make_video()
    one, many = (list(open_source(path, threads=threads).frames()) for threads in (1, 0))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(one, many, strict=True))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_recording_comes_upright(make_video, turns):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:16, :24] = 255  # a bright corner tells which way is up
    path = make_video([picture] * 3)
    matrix = {1: (0, 1, -1, 0), 2: (-1, 0, 0, -1), 3: (0, -1, 1, 0)}[turns]  # clockwise quarters, as phones write them
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    source = open_source(path)
    image = next(source.frames()).image
    upright = np.rot90(picture, -turns)
    assert (source.info.height, source.info.width) == upright.shape[:2]
    assert np.abs(image.astype(int) - upright).mean() < 3


def test_odd_sizes_are_kept_to_the_pixel(make_video):
    pictures = [np.full((35, 51, 3), 90, np.uint8)] * 3
    path = make_video(pictures, name="odd.avi", codec="mjpeg", options={"strict": "-1"})
    assert next(open_source(path).frames()).image.shape == (35, 51, 3)


def test_size_change_midway_goes_on_at_the_new_size_and_is_told(make_video):
    small = make_video(name="a.ts")
    large = make_video([np.full((96, 128, 3), 50, np.uint8)] * 5, name="b.ts")
    joined = small.with_name("joined.ts")
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    source = open_source(joined)
    frames = list(source.frames())
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 20 + [(96, 128, 3)] * 5
    assert any("size changes from 64x48 to 128x96 at frame 20" in line for line in source.problems)
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))


def test_stamps_that_are_missing_follow_from_the_rate_and_are_told(make_video):
    source = open_source(make_video(name="raw.h264"))
    frames = list(source.frames())
    steps = np.diff([frame.time_s for frame in frames])
    assert len(frames) == 20
    assert steps == pytest.approx(np.full(19, 1 / source.info.fps))
    assert any("no rising time stamp" in line for line in source.problems)


@pytest.mark.parametrize(("name", "options"), [("cut.avi", {}), ("cut.mp4", {"movflags": "faststart"})])
def test_truncated_file_keeps_its_decodable_frames_and_tells(make_video, name, options):
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    path = make_video(pictures, name=name, container_options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = open_source(path)
    frames = list(source.frames())
    assert 5 < len(frames) < 20
    assert any("ends early" in line for line in source.problems)


def spoil(path, numbers) -> None:
    """Overwrite the content of some of an AVI file's pictures."""
    content = bytearray(path.read_bytes())
    places = [place for place in range(content.index(b"movi"), len(content)) if content.startswith(b"00dc", place)]
    for number in numbers:
        start = places[number] + 8
        size = struct.unpack("<I", content[start - 4 : start])[0]
        content[start : start + size] = bytes(size)
    path.write_bytes(content)


def test_damaged_packets_are_skipped_and_told(make_video):
    path = make_video(name="spoilt.avi", codec="mjpeg", options={"strict": "-1"})
    spoil(path, [6, 7, 13])
    source = open_source(path)
    frames = list(source.frames())
    assert len(frames) == 17
    assert "3 damaged packets were skipped" in source.problems
    assert [frame.index for frame in frames] == list(range(17))
    assert frames[6].time_s == pytest.approx(0.8)  # the gap stays a gap


def test_first_frames_that_cannot_be_decoded_are_passed_over(make_video):
    path = make_video(name="late.ts")
    content = path.read_bytes()
    path.write_bytes(content[188 * 3 :])
    source = VideoFile(path)
    assert 0 < len(list(source.frames())) <= 20


def refusal(path) -> str:
    with pytest.raises(NotAVideoError) as caught:
        open_source(path)
    assert caught.value.exit_code == 2
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_video_is_refused_in_one_line(tmp_path, make_video):
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert "is empty" in refusal(tmp_path / "empty.mp4")
    assert "is not there" in refusal(tmp_path / "missing.mp4")
    for name in ("noise.mp4", "noise.avi", "noise.txt"):
        (tmp_path / name).write_bytes(np.random.default_rng(0).bytes(5000))
        refusal(tmp_path / name)
    (tmp_path / "words.txt").write_text("not a video\n" * 100)
    refusal(tmp_path / "words.txt")
    head = make_video(name="head.mp4")
    head.write_bytes(head.read_bytes()[:200])
    refusal(head)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
    assert "holds no video" in refusal(path)


def test_file_of_which_no_frame_can_be_decoded_is_refused(make_video):
    path = make_video(name="dead.avi", codec="mjpeg", options={"strict": "-1"})
    spoil(path, range(20))
    assert "no frame of" in refusal(path)


def test_playlist_that_points_elsewhere_is_not_followed(tmp_path, make_video):
    make_video(name="real.ts")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nreal.ts\n#EXT-X-ENDLIST\n")
    refusal(playlist)
