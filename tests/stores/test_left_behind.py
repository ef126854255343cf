"""What killed processes, refreshed and deleted outputs leave: nothing, and nothing too early."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import threading
import time
import uuid

import fsspec
import pytest

from prefectx.errors import CorruptItemError
from prefectx.stores import Filestore
from prefectx.stores.files import local


@pytest.fixture(autouse=True)
def local_reset():
    local.LOCAL.reset()


def left_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


SAVE_AND_STAY = """
import sys, time
from prefectx.stores import Filestore
class Slow:
    def __reduce__(self):
        print("writing", flush=True)
        time.sleep(60)
Filestore().save(sys.argv[1], [b"x" * 100_000, Slow()])
"""


@pytest.fixture
def writing(tmp_path):
    """A process that is in the middle of a save."""
    command = [sys.executable, "-c", SAVE_AND_STAY, f"{tmp_path}/a"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


class TestTemporaryFiles:
    def test_of_a_container_that_had_our_host_name_and_process_id(self, writing, tmp_path):
        """It was killed, and this container was started in its place, as process 1 again."""
        (temporary,) = tmp_path.iterdir()
        writing.kill()
        writing.wait()
        name = temporary.name.replace(f"-{writing.pid}-", f"-{os.getpid()}-")
        assert name != temporary.name
        temporary.rename(tmp_path / name)
        Filestore().save(f"{tmp_path}/b", 1)
        assert left_in(tmp_path) == ["b"]

    def test_of_a_living_process_stays(self, writing, tmp_path):
        """Also if its id means nothing here, as that of another container."""
        (temporary,) = tmp_path.iterdir()
        foreign = tmp_path / temporary.name.replace(f"-{writing.pid}-", "-4194303-")
        temporary.rename(foreign)
        Filestore().save(f"{tmp_path}/b", 1)
        assert foreign.exists()

    def test_of_another_machine_stays_for_a_day(self, tmp_path):
        """Its locks may not be seen here."""
        names = [".prefectx-0123abcd-1-18a-0.tmp", ".prefectx-some-host-1-0.tmp"]
        for name in names:
            (tmp_path / name).touch()
        Filestore().save(f"{tmp_path}/a", 1)
        assert left_in(tmp_path) == [*names, "a"]
        long_ago = time.time() - 2 * 24 * 3600
        for name in names:
            os.utime(tmp_path / name, (long_ago, long_ago))
        local.LOCAL.reset()
        Filestore().save(f"{tmp_path}/a", 1)
        assert left_in(tmp_path) == ["a"]

    def test_names_differ_in_each_process(self, writing, tmp_path):
        """Though they may have one process id, in two containers."""
        code = "from prefectx.stores.files import leftovers; print('-' + leftovers.STARTED + '-')"
        names = {
            subprocess.check_output([sys.executable, "-c", code], text=True).rsplit("-", 2)[1]
            for _ in range(2)
        }
        assert len(names) == 2

    def test_a_sweep_right_after_a_temporary_file_was_made(self, tmp_path, monkeypatch):
        """Another process takes the new file for abandoned before it is locked: the save works."""
        opened, original = [], local.open_making_folders

        def swept(path, *args):
            descriptor = original(path, *args)
            if path.endswith(".tmp") and not opened:
                opened.append(path)
                os.unlink(path)  # noqa: PTH108
            return descriptor

        monkeypatch.setattr(local, "open_making_folders", swept)
        Filestore().save(f"{tmp_path}/a", 1)
        assert Filestore().load(f"{tmp_path}/a") == 1
        assert left_in(tmp_path) == ["a"]


class TestPermissions:
    @pytest.mark.parametrize(
        ("existing", "umask", "expected"),
        [(0o600, 0o022, 0o600), (0o640, 0o077, 0o640), (None, 0o077, 0o600), (None, 0o002, 0o664)],
    )
    def test_a_temporary_file_never_has_more_than_its_target(
        self, tmp_path, existing, umask, expected
    ):
        """Looked at while it is made, before its first byte."""
        target, modes = tmp_path / "a", []
        if existing is not None:
            target.touch()
            target.chmod(existing)
        before = os.umask(umask)
        done = threading.Event()

        def watch():
            while not done.is_set():
                for path in tmp_path.glob(".prefectx-*"):
                    try:
                        modes.append(stat.S_IMODE(path.stat().st_mode))
                    except FileNotFoundError:
                        continue

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for _ in range(50):
                with local.LOCAL.replacing(str(target), fsync=False) as temporary:
                    modes.append(stat.S_IMODE(os.stat(temporary).st_mode))  # noqa: PTH116
                if existing is None:
                    target.unlink()
        finally:
            os.umask(before)
            done.set()
            watcher.join()
        assert expected in modes
        assert all(mode & ~expected == 0 for mode in modes), [oct(mode) for mode in set(modes)]

    def test_a_target_that_was_closed_meanwhile_stays_closed(self, tmp_path):
        Filestore().save(f"{tmp_path}/a", 1)
        with local.LOCAL.replacing(f"{tmp_path}/a", fsync=False):
            (tmp_path / "a").chmod(0o600)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


class TestSignatures:
    @pytest.fixture(params=["local", "memory"])
    def root(self, request, tmp_path):
        return str(tmp_path) if request.param == "local" else f"memory://{uuid.uuid4().hex}"

    def names(self, root):
        system, path = fsspec.core.url_to_fs(root)
        return sorted(name.rpartition("/")[2] for name in system.find(path))

    @pytest.fixture
    def signed(self):
        return Filestore(fsync=False, signing_key="s3kr1t")

    def test_of_replaced_outputs_go(self, signed, root):
        for number in range(3):
            signed.save(f"{root}/a", number)
        assert len(self.names(root)) == 2
        assert signed.load(f"{root}/a") == 2

    def test_of_an_equal_output_stays(self, signed, root):
        for _ in range(3):
            signed.save(f"{root}/a", 1)
            assert signed.load(f"{root}/a") == 1
        assert len(self.names(root)) == 2

    def test_of_deleted_outputs_go(self, signed, root):
        for name in "ab":
            signed.save(f"{root}/{name}", 1)
        signed.delete(f"{root}/a")
        signed.delete(f"{root}/a")
        signed.delete(f"{root}/never")
        assert len(self.names(root)) == 2
        assert signed.load(f"{root}/b") == 1

    def test_of_an_output_that_failed_to_be_replaced_stays(self, signed, root):
        signed.save(f"{root}/a.json", 1)
        with pytest.raises(Exception, match="set"):
            signed.save(f"{root}/a.json", {1})
        assert signed.load(f"{root}/a.json") == 1
        assert len(self.names(root)) == 2

    def test_without_the_key_nothing_is_deleted(self, signed, root, monkeypatch):
        import pickle

        from prefectx.errors import ConfigError

        signed.save(f"{root}/a", 1)
        arrived = pickle.loads(pickle.dumps(signed))
        with pytest.raises(ConfigError, match="PREFECTX_SIGNING_KEY"):
            arrived.delete(f"{root}/a")
        assert signed.load(f"{root}/a") == 1

    def test_writers_and_readers_of_one_output(self, signed, root):
        """Whoever wins, what is there can be loaded: also if writers write equal outputs."""
        signed.save(f"{root}/a", [0, 0])
        failures = []

        def work(turn):
            try:
                for number in range(40):
                    signed.save(f"{root}/a", [(turn + number) % 2])
                    signed.load(f"{root}/a")
            except Exception as error:
                failures.append(error)

        workers = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert not failures
        signed.load(f"{root}/a")
        assert len(self.names(root)) <= 3

    def test_an_unsigned_output_is_replaced(self, signed, root):
        Filestore().save(f"{root}/a", 1)
        with pytest.raises(CorruptItemError):
            signed.load(f"{root}/a")
        signed.save(f"{root}/a", 1)
        assert signed.load(f"{root}/a") == 1


HOLD = """
import sys, time
from prefectx.stores import Filestore
with Filestore().lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


class TestLockFiles:
    def hold(self, location):
        command = [sys.executable, "-c", HOLD, location]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert holder.stdout.readline() == "held\n"
        return holder

    @pytest.mark.parametrize("by", ["save", "lock"])
    def test_of_killed_holders_go_and_those_of_the_living_stay(self, tmp_path, by):
        dead, alive = self.hold(f"{tmp_path}/dead"), self.hold(f"{tmp_path}/alive")
        with dead, alive:
            dead.kill()
            dead.wait()
            assert len(left_in(tmp_path)) == 2
            if by == "save":
                Filestore().save(f"{tmp_path}/other", 1)
            else:
                with Filestore().lock(f"{tmp_path}/other"):
                    pass
            assert len([name for name in left_in(tmp_path) if name.endswith(".lock")]) == 1
            alive.kill()

    def test_a_lock_file_that_somebody_removed(self, tmp_path):
        """The holder goes on, and the file of the next one is left to it."""
        with Filestore().lock(f"{tmp_path}/a"):
            (lock,) = tmp_path.iterdir()
            lock.unlink()
            with lock.open("w") as other:
                fcntl.flock(other, fcntl.LOCK_EX)
        assert lock.exists()
        lock.unlink()
        with Filestore().lock(f"{tmp_path}/a"):
            (lock,) = tmp_path.iterdir()
            lock.unlink()
