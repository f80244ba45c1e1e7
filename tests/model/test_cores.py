"""How many cores this process may use."""

from __future__ import annotations

from pathlib import Path

from r3mem_agents.model.cores import allowed, quota


def test_there_is_a_core() -> None:
    assert allowed() >= 1


def test_a_containers_quota_is_read(tmp_path: Path) -> None:
    assert quota(tmp_path, 8) == 8
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert quota(tmp_path, 8) == 8
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("350000\n")
    assert quota(tmp_path, 8) == 3
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert quota(tmp_path, 8) == 8
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert quota(tmp_path, 8) == 0
