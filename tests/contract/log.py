"""What any log promises, whichever database it is on. A store's own tests inherit these and give the fixture."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, MutableMapping
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from hubbub.errors import Refused
from hubbub.log import queries, schema
from hubbub.log.store import Store
from hubbub.log.transaction import Change, Entry, Transaction
from hubbub.log.writer import MOST_PENDING, Writer
from tests.contract.changes import BreakRule, Crash, CrashLate, Refuse, Say
from tests.fakes import FakeClock

ROOM, OTHER = 1, 2


class Written:
    """A writer, and what it delivered."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.batches: list[list[Change]] = []
        self.writer = Writer(store, clock, self._deliver)

    def _deliver(self, batch: list[Change]) -> None:
        # What is delivered is on disk: another connection sees it.
        for room_id, seq in {entry.room_id: entry.seq for entry in new_entries(batch)}.items():
            assert self.store.read_now(lambda c, r=room_id: queries.head(c, r)) >= seq  # type: ignore[misc]
        self.batches.append(batch)
        for change in batch:
            change.finished()

    async def write(self, *changes: Change) -> None:
        """Write these in one batch, and wait for its delivery."""
        for change in changes:
            self.writer.submit(change)
        await self.writer.drained()

    @property
    def delivered(self) -> list[Entry]:
        """Every entry delivered that was not in the log before, in order."""
        return [entry for batch in self.batches for entry in new_entries(batch)]

    def log(self, room_id: int = ROOM) -> list[dict[str, Any]]:
        """The payloads of a room's log, without the room."""
        items: list[queries.LogItem] = []
        more = True
        while more:
            last = items[-1].seq if items else 0
            page = self.store.read_now(lambda c, a=last: queries.entries_after(c, room_id, a, 500))  # type: ignore[misc]
            items += page.items
            more = page.more
        return [msgspec.json.decode(item.body) for item in items]

    def texts(self, room_id: int = ROOM) -> list[str]:
        """The messages of a room's log, having looked that the numbers have no hole."""
        found = self.log(room_id)
        assert [payload["seq"] for payload in found] == list(range(1, len(found) + 1))
        return [payload["message"] for payload in found]


class Faults:
    """Faults of a database, set up at the boundary to its driver."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._error = engine.dialect.loaded_dbapi.OperationalError("the disk is broken")
        self._execute = engine.dialect.do_execute
        self.on: str | None = None
        engine.dialect.do_execute = self._executes  # type: ignore[method-assign]

    def end(self) -> None:
        """Back to how it was."""
        self.on = None
        self._engine.dialect.do_execute = self._execute  # type: ignore[method-assign]

    def _executes(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        if self.on is not None and statement.upper().startswith(self.on):
            raise self._error
        self._execute(cursor, statement, parameters, context)
        if self.on == "AFTER COMMIT" and statement == "COMMIT":
            raise self._error


def new_entries(batch: list[Change]) -> list[Entry]:
    """The entries of a batch that were not in the log before."""
    return [entry for change in batch for entry in change.entries if not entry.repeat]


def numbers(changes: list[Say]) -> list[int]:
    """The numbers that these got."""
    return [change.seq for change in changes]


class WriterContract:
    """Batches: all or nothing, numbers without holes, delivered once on disk."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture(autouse=True)
    def logged(self) -> Iterator[list[MutableMapping[str, Any]]]:
        """What is logged; not shown, which would take longer than all the rest."""
        with structlog.testing.capture_logs() as logged:
            yield logged

    @pytest_asyncio.fixture
    async def written(self, store: Store, clock: FakeClock) -> Written:
        return Written(store, clock)

    @pytest.fixture
    def faults(self, store: Store) -> Iterator[Faults]:
        faults = Faults(store.writing)
        yield faults
        faults.end()

    # --- numbers

    @pytest.mark.asyncio
    async def test_entries_are_numbered_from_1_in_each_room_in_the_order_they_came(
        self, written: Written
    ) -> None:
        here = [Say(ROOM, str(number)) for number in range(5)]
        there = [Say(OTHER, str(number)) for number in range(3)]
        await written.write(here[0], there[0], here[1], here[2])
        await written.write(there[1], here[3], here[4], there[2])
        assert (numbers(here), numbers(there)) == ([1, 2, 3, 4, 5], [1, 2, 3])
        assert (written.texts(ROOM), written.texts(OTHER)) == (list("01234"), list("012"))

    @pytest.mark.asyncio
    @pytest.mark.parametrize("count", [*range(1, 22), 63, 64, 65, 79, 80, 81, 84, 85, 127, 128, 129, 200])
    async def test_a_batch_of_any_size_is_put_in_whole(self, written: Written, count: int) -> None:
        changes = [Say(ROOM, str(number), id_=f"id-{number}") for number in range(count)]
        await written.write(*changes)
        assert len(written.batches) == 1
        assert written.texts() == [str(number) for number in range(count)]
        assert numbers(changes) == list(range(1, count + 1))

    @pytest.mark.asyncio
    async def test_what_is_kept_is_what_was_delivered_but_for_the_room(self, written: Written) -> None:
        await written.write(Say(ROOM, 'a "quoted" text \\ é 🎉 \u2028', id_="id-1"))
        (entry,) = written.delivered
        assert msgspec.json.decode(entry.payload) == {"room": "room-1", **written.log()[0]}
        assert (entry.room_id, entry.seq, entry.type, entry.user_id) == (ROOM, 1, "new_message", 1)
        assert entry.payload in entry.frame

    @pytest.mark.asyncio
    async def test_a_writer_goes_on_where_the_last_one_ended(self, written: Written, store: Store) -> None:
        await written.write(Say(ROOM, "a"), Say(ROOM, "b"))
        next_one = Written(store, written.clock)
        await next_one.write(say := Say(ROOM, "c"))
        assert say.seq == 3
        assert next_one.texts() == ["a", "b", "c"]

    @pytest.mark.asyncio
    async def test_entries_carry_the_time_of_the_clock(self, written: Written) -> None:
        written.clock.advance(0.25)
        await written.write(Say(ROOM))
        assert written.log()[0]["sent"] == "2027-01-15T08:00:00.250Z"

    # --- refusals and faults within a batch

    @pytest.mark.asyncio
    @pytest.mark.parametrize("bad", [Refuse, Crash, CrashLate, BreakRule])
    async def test_a_change_that_fails_harms_no_other_of_its_batch_and_leaves_no_hole(
        self, written: Written, bad: type[Say]
    ) -> None:
        good = [Say(ROOM, "a", id_="a"), Say(ROOM, "b", id_="b"), Say(OTHER, "c", id_="c")]
        wrong = bad(ROOM, "wrong", id_="wrong")
        await written.write(good[0], wrong, good[1], good[2])
        await written.write(after := Say(ROOM, "d"))
        assert [change.error for change in good] == [None] * 3
        assert (numbers(good), after.seq) == ([1, 2, 1], 3)
        assert written.texts() == ["a", "b", "d"]
        assert [entry.seq for entry in written.delivered if entry.room_id == ROOM] == [1, 2, 3]
        assert (wrong.entries, wrong.finishes) == ([], 1)
        assert isinstance(wrong.error, Refused)
        assert wrong.error.refusal.code == {
            Refuse: "conflict", Crash: "internal", CrashLate: "internal", BreakRule: "unavailable",
        }[bad]  # fmt: skip
        assert written.store.read_now(queries.epoch) != "another"
        late = select(func.count()).where(schema.meta.c.key.like("late-%"))
        assert written.store.read_now(lambda c: c.scalar(late)) == 0

    @pytest.mark.asyncio
    async def test_many_changes_that_fail_in_one_batch_harm_no_other(
        self, written: Written, logged: list[MutableMapping[str, Any]]
    ) -> None:
        changes: list[Say] = [
            kind(ROOM, str(number), id_=str(number))
            for number, kind in enumerate([Say, Crash, BreakRule, Say, CrashLate, Refuse, CrashLate, Say] * 3)
        ]
        await written.write(*changes)
        good = [change for change in changes if type(change) is Say]
        assert {line["change"] for line in logged} == {"Crash", "CrashLate", "BreakRule"}
        assert len(logged) == 12
        assert [change.error for change in good] == [None] * 9
        assert written.texts() == [change.text for change in good]
        assert [change.finishes for change in changes] == [1] * 24

    @pytest.mark.asyncio
    async def test_the_error_of_an_attempt_that_was_undone_is_forgotten(self, written: Written) -> None:
        """A batch is tried again when an id in it was there already; what fails then counts, and only that."""
        await written.write(Say(ROOM, "a", id_="a"))
        refused = Refuse(ROOM)
        await written.write(Say(ROOM, "x", id_="a"), refused, say := Say(ROOM, "b", id_="b"))
        assert isinstance(refused.error, Refused)
        assert (say.error, say.seq, len(say.entries)) == (None, 2, 1)

    # --- repeats

    @pytest.mark.asyncio
    @pytest.mark.parametrize("looks", [False, True])
    async def test_an_id_sent_again_gets_the_first_entry_back_and_changes_nothing(
        self, written: Written, looks: bool
    ) -> None:
        await written.write(first := Say(ROOM, "first", id_="a"))
        await written.write(
            before := Say(ROOM, "before", id_="b"),
            again := Say(ROOM, "second", id_="a", looks=looks),
            after := Say(ROOM, "after", id_="c"),
        )
        assert [entry.repeat for entry in again.entries] == [True]
        assert again.entries[0].payload == first.entries[0].payload
        assert again.entries[0].frame == first.entries[0].frame
        assert (before.seq, after.seq) == (2, 3)
        assert written.texts() == ["first", "before", "after"]

    @pytest.mark.asyncio
    async def test_an_id_twice_in_one_batch_is_one_entry(self, written: Written) -> None:
        says = [Say(ROOM, str(number), id_="same") for number in range(3)]
        await written.write(says[0], Say(ROOM, "other", id_="other"), says[1], says[2])
        assert [[entry.repeat for entry in say.entries] for say in says] == [[False], [True], [True]]
        assert {say.entries[0].payload for say in says} == {says[0].entries[0].payload}
        assert written.texts() == ["0", "other"]

    @pytest.mark.asyncio
    async def test_the_same_id_of_another_sender_or_in_another_room_is_no_repeat(
        self, written: Written
    ) -> None:
        says = [Say(ROOM, "a", id_="x"), Say(ROOM, "b", id_="x", user_id=2), Say(OTHER, "c", id_="x")]
        await written.write(*says)
        await written.write(again := Say(ROOM, "d", id_="x", user_id=2))
        assert [entry.repeat for say in says for entry in say.entries] == [False] * 3
        assert again.seq == says[1].seq
        assert (written.texts(ROOM), written.texts(OTHER)) == (["a", "b"], ["c"])

    @pytest.mark.asyncio
    async def test_entries_without_an_id_are_never_repeats(self, written: Written) -> None:
        await written.write(*[Say(ROOM, "same", looks=True) for _ in range(3)])
        assert written.texts() == ["same"] * 3

    @pytest.mark.asyncio
    async def test_only_new_entries_count_as_written(self, written: Written) -> None:
        await written.write(Say(ROOM, id_="a"), Say(ROOM, id_="b"), Refuse(ROOM))
        await written.write(Say(ROOM, id_="a"))
        figures = written.writer.figures
        assert (figures.batches, figures.changes, figures.entries, figures.failures) == (2, 4, 2, 0)

    # --- faults of the database

    @pytest.mark.asyncio
    @pytest.mark.parametrize("where", ["BEGIN", "SELECT", "INSERT", "COMMIT"])
    async def test_a_database_that_fails_refuses_the_whole_batch_and_the_next_one_works(
        self, written: Written, faults: Faults, where: str
    ) -> None:
        await written.write(Say(ROOM, "a", id_="a"))
        faults.on = where
        batch = [Say(ROOM, "x", id_="x"), Say(OTHER, "y", id_="y", looks=True), Say(ROOM, "z")]
        await written.write(*batch)
        for change in batch:
            assert isinstance(change.error, Refused)
            assert (change.error.refusal.code, change.error.refusal.retry) == ("unavailable", True)
            assert (change.entries, change.finishes) == ([], 1)
        faults.on = None
        assert len(written.delivered) == 1
        assert (written.texts(ROOM), written.texts(OTHER)) == (["a"], [])
        await written.write(*(again := [Say(ROOM, "x", id_="x"), Say(OTHER, "y", id_="y")]))
        assert [change.error for change in again] == [None, None]
        assert (written.texts(ROOM), written.texts(OTHER)) == (["a", "x"], ["y"])
        assert written.writer.figures.failures == 1

    @pytest.mark.asyncio
    async def test_a_refusal_stays_that_refusal_when_the_database_fails_too(
        self, written: Written, faults: Faults
    ) -> None:
        faults.on = "COMMIT"
        await written.write(refused := Refuse(ROOM), Say(ROOM))
        assert refused.error is not None
        assert refused.error.refusal.code == "conflict"

    @pytest.mark.asyncio
    async def test_numbers_are_right_after_a_commit_that_failed_and_yet_was_done(
        self, written: Written, faults: Faults
    ) -> None:
        """As when the connection is lost before the answer: whether it was done, nobody knows."""
        await written.write(Say(ROOM, "a", id_="a"))
        faults.on = "AFTER COMMIT"
        await written.write(unsure := Say(ROOM, "b", id_="b"))
        assert unsure.error is not None
        faults.on = None
        await written.write(again := Say(ROOM, "b", id_="b"), Say(ROOM, "c", id_="c"))
        assert again.error is None
        assert [entry.repeat for entry in again.entries] == [True]
        assert written.texts() == ["a", "b", "c"]

    @pytest.mark.asyncio
    async def test_a_batch_with_a_fault_in_it_is_all_or_nothing_too(
        self, written: Written, faults: Faults
    ) -> None:
        """It is written in another way, each change by itself; what is refused must not be on disk all the same."""

        class DiskFails(Say):
            def apply(self, tx: Any) -> None:
                super().apply(tx)
                faults.on = "COMMIT"

        batch = [Say(ROOM, "a", id_="a"), BreakRule(ROOM, id_="rule"), DiskFails(ROOM, "b"), Say(ROOM, "c")]
        await written.write(*batch)
        faults.on = None
        assert [change.error is None for change in batch] == [False] * 4
        await written.write(Say(ROOM, "d"))
        assert written.texts() == ["d"]
        assert [entry.seq for entry in written.delivered] == [1]

    @pytest.mark.asyncio
    async def test_what_a_batch_learns_is_known_to_the_next_if_it_was_written_and_else_not(
        self, written: Written, faults: Faults
    ) -> None:
        class Learn(Say):
            def apply(self, tx: Transaction) -> None:
                super().apply(tx)
                tx.left(ROOM, 7)
                tx.renamed(ROOM, "new name")
                tx.archived(ROOM, True)

        class Look(Say):
            seen: tuple[bool, str, bool] | None = None

            def apply(self, tx: Transaction) -> None:
                try:
                    tx.check_not_left(ROOM, 7)
                except Refused:
                    self.seen = (True, tx.name(ROOM, "old name"), tx.is_archived(ROOM, known=False))
                else:
                    self.seen = (False, tx.name(ROOM, "old name"), tx.is_archived(ROOM, known=False))

        looks = [Look(ROOM) for _ in range(4)]
        faults.on = "COMMIT"
        await written.write(Learn(ROOM), looks[0])
        faults.on = None
        await written.write(looks[1])
        await written.write(Learn(ROOM), looks[2])
        await written.write(looks[3])
        old, new = (False, "old name", False), (True, "new name", True)
        assert [look.seen for look in looks] == [new, old, new, new]

    # --- the order of things

    @pytest.mark.asyncio
    async def test_what_is_submitted_while_a_batch_is_delivered_comes_in_the_next(
        self, written: Written
    ) -> None:
        class SayMore(Say):
            def finished(self) -> None:
                if len(written.batches) < 4:
                    written.writer.submit(SayMore(ROOM, f"more {len(written.batches)}"))

        await written.write(SayMore(ROOM, "begin"))
        assert written.texts() == ["begin", "more 1", "more 2", "more 3"]
        assert [len(batch) for batch in written.batches] == [1, 1, 1, 1]
        assert written.writer.pending == 0

    @pytest.mark.asyncio
    async def test_many_at_once_share_few_batches_and_keep_their_order(self, written: Written) -> None:
        await written.write(*[Say(ROOM, str(number)) for number in range(4_500)])
        assert [len(batch) for batch in written.batches] == [2_000, 2_000, 500]
        assert written.texts() == [str(number) for number in range(4_500)]
        assert [entry.seq for entry in written.delivered] == list(range(1, 4_501))

    @pytest.mark.asyncio
    async def test_more_than_can_wait_is_refused_at_once_to_be_tried_again(self, written: Written) -> None:
        for _ in range(MOST_PENDING):
            written.writer.submit(Refuse(ROOM))
        with pytest.raises(Refused) as refused:
            written.writer.submit(Say(ROOM))
        assert (refused.value.refusal.code, refused.value.refusal.retry) == ("overloaded", True)
        await written.writer.drained()
        await written.write(say := Say(ROOM))
        assert say.error is None

    @pytest.mark.asyncio
    async def test_a_fault_in_the_delivery_does_not_stop_the_writer(
        self, store: Store, clock: FakeClock
    ) -> None:
        seen: list[object] = []

        def deliver(batch: list[Change]) -> None:
            seen.append(batch)
            if len(seen) == 1:
                raise RuntimeError("a fault")

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: seen.append(str(context["exception"])))
        writer = Writer(store, clock, deliver)
        writer.submit(first := Say(ROOM))
        await writer.drained()
        writer.submit(second := Say(ROOM))
        await writer.drained()
        assert seen == [[first], "a fault", [second]]

    @pytest.mark.asyncio
    async def test_writes_of_others_go_between_the_batches(self, written: Written, store: Store) -> None:
        def put(connection: Connection) -> int:
            connection.execute(insert(schema.meta).values(key="mine", value="x"))
            return 7

        written.writer.submit(Say(ROOM, "a"))
        assert await store.write(put) == 7
        await written.write(Say(ROOM, "b"))
        assert written.texts() == ["a", "b"]

    def test_any_batches_leave_the_log_that_a_simple_model_leaves(self, store: Store) -> None:
        rooms = itertools.count(1, 2)

        @given(
            st.lists(
                st.lists(
                    st.tuples(
                        st.sampled_from([Say, Say, Say, Refuse, Crash, CrashLate, BreakRule]),
                        st.integers(0, 1),  # room
                        st.sampled_from([1, 2]),  # user
                        st.none() | st.sampled_from("abc"),  # the sender's id
                        st.booleans(),  # looks
                    ),
                    max_size=12,
                ),
                max_size=5,
            )
        )
        def hold(batches: list[list[tuple[type[Say], int, int, str | None, bool]]]) -> None:
            base = next(rooms)
            asyncio.run(compare(store, base, batches))

        hold()


async def compare(
    store: Store, base: int, batches: list[list[tuple[type[Say], int, int, str | None, bool]]]
) -> None:
    """Write the batches, and hold the log, the answers and what was delivered against a model."""
    written = Written(store, FakeClock())
    model: dict[int, list[str]] = {base: [], base + 1: []}
    ids: dict[tuple[int, int, str], int] = {}
    word = itertools.count()
    for batch in batches:
        changes = []
        expected: list[int | None] = []
        for kind, place, user, id_, looks in batch:
            change = kind(base + place, str(next(word)), id_=id_, user_id=user, looks=looks)
            changes.append(change)
            expected.append(_expected(change, kind, model, ids))
        await written.write(*changes)
        assert [change.seq if change.error is None else None for change in changes] == expected
        assert [change.finishes for change in changes] == [1] * len(changes)
    for room, texts in model.items():
        assert written.texts(room) == texts
        delivered = [entry.seq for entry in written.delivered if entry.room_id == room]
        assert delivered == list(range(1, len(texts) + 1))


def _expected(
    change: Say, kind: type[Say], model: dict[int, list[str]], ids: dict[tuple[int, int, str], int]
) -> int | None:
    """The number that a change gets by the model; None: it is refused."""
    key = (change.room_id, change.user_id, change.id) if change.id is not None else None
    if kind is not Say:
        return None
    if key is not None and key in ids:
        return ids[key]
    model[change.room_id].append(change.text)
    seq = len(model[change.room_id])
    if key is not None:
        ids[key] = seq
    return seq


class StoreContract:
    """Reading and writing apart from the log's batches."""

    @pytest.mark.asyncio
    async def test_a_write_that_raises_is_undone_and_the_error_comes_through(self, store: Store) -> None:
        def put(connection: Connection) -> None:
            connection.execute(insert(schema.meta).values(key="mine", value="x"))
            raise LookupError("no")

        with pytest.raises(LookupError):
            await store.write(put)
        found = select(schema.meta.c.value).where(schema.meta.c.key == "mine")
        assert await store.read(lambda c: c.scalar(found)) is None

    @pytest.mark.asyncio
    async def test_a_rule_of_the_database_that_is_broken_passes_as_it_is(self, store: Store) -> None:
        def put(connection: Connection) -> None:
            connection.execute(insert(schema.meta).values(key="epoch", value="x"))

        with pytest.raises(IntegrityError):
            await store.write(put)
        with pytest.raises(IntegrityError):
            store.write_now(put)
        assert await store.write(lambda _connection: "next") == "next"

    @pytest.mark.asyncio
    @pytest.mark.parametrize("where", ["BEGIN", "INSERT", "COMMIT"])
    async def test_a_database_that_fails_is_said_to_be_unavailable_and_may_be_tried_again(
        self, store: Store, where: str
    ) -> None:
        def put(connection: Connection) -> None:
            connection.execute(insert(schema.meta).values(key="mine", value="x"))

        faults = Faults(store.writing)
        faults.on = where
        try:
            with pytest.raises(Refused) as refused:
                await store.write(put)
        finally:
            faults.end()
        assert (refused.value.refusal.code, refused.value.refusal.retry) == ("unavailable", True)
        await store.write(put)

    @pytest.mark.asyncio
    async def test_a_read_that_fails_is_said_to_be_unavailable(self, store: Store) -> None:
        faults = Faults(store.reading)
        faults.on = "SELECT"
        try:
            with pytest.raises(Refused) as refused:
                await store.read(queries.epoch)
        finally:
            faults.end()
        assert refused.value.refusal.code == "unavailable"
        assert await store.read(queries.epoch)

    @pytest.mark.asyncio
    async def test_one_who_stops_waiting_for_a_write_harms_nobody(self, store: Store) -> None:
        def put(connection: Connection) -> None:
            connection.execute(insert(schema.meta).values(key="mine", value="x"))

        task = asyncio.create_task(store.write(put))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.write(lambda _connection: "next") == "next"

    def test_no_error_of_the_database_shows_what_was_to_be_written(self, store: Store) -> None:
        def put(connection: Connection) -> None:
            connection.execute(insert(schema.meta).values(key="epoch", value="a secret text"))

        with pytest.raises(DBAPIError) as error:
            store.write_now(put)
        assert "secret" not in str(error.value)

    @pytest.mark.asyncio
    async def test_many_read_at_once_while_one_writes(self, store: Store) -> None:
        writes = [store.write(lambda c, n=n: put_number(c, n)) for n in range(20)]  # type: ignore[misc]
        reads = [store.read(queries.epoch) for _ in range(100)]
        found = await asyncio.gather(*writes, *reads)
        assert found[:20] == list(range(20))
        assert len(set(found[20:])) == 1


def put_number(connection: Connection, number: int) -> int:
    """Write something."""
    connection.execute(insert(schema.meta).values(key=f"n-{number}", value=str(number)))
    return number
