"""Dead links are found; live ones, headings and fences are left alone."""

from pathlib import Path

from local.docs.links import dead_links


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("see [b](b.md) and [c](c.md#no-such-title)")
    (tmp_path / "c.md").write_text("# A title\n")

    assert dead_links(tmp_path) == ["a.md: b.md", "a.md: c.md#no-such-title"]


def test_live_links_fences_and_the_web_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "[c](c.md#a-title) [w](https://x.example)\n```\n[n](n.md)\n```\n"
    )
    (tmp_path / "c.md").write_text("# A title\n")

    assert dead_links(tmp_path) == []


def test_hidden_folders_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "a.md").write_text("[b](b.md)")

    assert dead_links(tmp_path) == []
