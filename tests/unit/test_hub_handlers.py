"""Events of an application's own: typed, checked at the edge, handled in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from hubbub import Client, Hub, Payload, Refused
from hubbub.errors import CONFLICT
from hubbub.events import CLIENT_EVENTS
from tests.chat_world import ChatWorld, a_chat

ONE_LINE = "A handler takes a client and a payload with its type"


class PollVote(Payload, frozen=True):
    """A vote in a poll."""

    poll: str
    choice: Annotated[int, Meta(ge=1, le=9)]


class Later(Struct):
    """A payload that is no `Payload`: any type that msgspec reads will do."""

    words: list[str]


def test_a_handler_is_given_the_client_and_the_payload_as_its_type(tmp_path: Path) -> None:
    hub = Hub()
    votes: list[tuple[str, PollVote]] = []

    @hub.on("poll_vote")
    def poll_vote(client: Client, vote: PollVote) -> None:
        votes.append((client.name, vote))
        client.reply("voted", {"poll": vote.poll})

    async def body(world: ChatWorld) -> None:
        ada = await world.come("ada")
        answer = await ada.asks("poll_vote", poll="tea", choice=2, more="ignored")
        assert (answer["type"], answer["payload"]) == ("voted", {"poll": "tea"})
        assert votes == [("ada", PollVote("tea", 2))]

    run(tmp_path, hub, body)


def test_an_async_handler_of_any_readable_type_is_waited_for(tmp_path: Path) -> None:
    hub = Hub()
    order: list[str] = []

    @hub.on("later")
    async def later(client: Client, payload: Later) -> None:
        await client.hub.store.read(lambda _connection: None)
        order.extend(payload.words)
        if payload.words == ["no"]:
            raise Refused(CONFLICT)

    @hub.on("now")
    def now(client: Client, payload: dict[str, int]) -> None:
        order.append(str(payload["n"]))
        client.reply("done", {})

    async def body(world: ChatWorld) -> None:
        ada = await world.come("ada")
        ada.says("later", words=["a", "b"])
        await ada.asks("now", n=1)
        assert order == ["a", "b", "1"]
        assert (await ada.is_refused("later", words=["no"]))["code"] == "conflict"

    run(tmp_path, hub, body)


def test_a_method_may_be_a_handler(tmp_path: Path) -> None:
    hub = Hub()

    class Polls:
        def vote(self, client: Client, vote: PollVote) -> None:
            client.reply("voted", {"by": client.name})

    hub.on("poll_vote")(Polls().vote)

    async def body(world: ChatWorld) -> None:
        ada = await world.come("ada")
        assert (await ada.asks("poll_vote", poll="x", choice=1))["payload"] == {"by": "ada"}

    run(tmp_path, hub, body)


def test_a_payload_of_the_wrong_shape_never_reaches_the_handler_and_the_field_is_named(
    tmp_path: Path,
) -> None:
    hub = Hub()

    @hub.on("poll_vote")
    def poll_vote(client: Client, vote: PollVote) -> None:
        raise AssertionError(vote)

    async def body(world: ChatWorld) -> None:
        ada = await world.come("ada")
        refusals = [
            await ada.is_refused("poll_vote", choice=1),
            await ada.is_refused("poll_vote", poll="x", choice=0),
            await ada.is_refused("poll_vote", poll="x", choice="1"),
            await ada.is_refused("poll_vote", poll=None, choice=1),
        ]
        assert [(refusal["code"], refusal["field"]) for refusal in refusals] == [
            ("bad_payload", "poll"),
            ("bad_payload", "choice"),
            ("bad_payload", "choice"),
            ("bad_payload", "poll"),
        ]

    run(tmp_path, hub, body)


def test_the_basic_profile_sends_no_events_of_applications(tmp_path: Path) -> None:
    hub = Hub()

    @hub.on("poll_vote")
    def poll_vote(client: Client, vote: PollVote) -> None:
        raise AssertionError(vote)

    async def body(world: ChatWorld) -> None:
        ada = await world.come_basic("ada")
        ada.says("poll_vote", poll="x", choice=1)
        ada.says("send_message", message="hello")
        await ada.hears("new_message")
        assert [event["type"] for event in ada.transport.events] == ["new_message"]

    run(tmp_path, hub, body)


def test_a_type_has_one_handler() -> None:
    hub = Hub()
    hub.on("poll_vote")(vote_handler)
    with pytest.raises(ValueError, match="There is a handler for 'poll_vote' already"):
        hub.on("poll_vote")(vote_handler)
    assert hub.event_types == ["poll_vote"]


@pytest.mark.parametrize("type_", CLIENT_EVENTS)
def test_the_events_of_the_chat_are_not_for_applications(type_: str) -> None:
    with pytest.raises(ValueError, match="is an event of the chat: give yours another name"):
        Hub().on(type_)(vote_handler)


def test_a_handler_without_a_type_for_its_payload_is_refused_when_it_is_added() -> None:
    def no_annotation(client, payload):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        raise NotImplementedError

    def no_payload(client: Client) -> None:
        raise NotImplementedError

    def too_many(client: Client, vote: PollVote, more: int = 0) -> None:
        raise NotImplementedError

    for wrong in (no_annotation, no_payload, too_many):
        with pytest.raises(TypeError, match=f"{ONE_LINE}.*{wrong.__name__}"):
            Hub().on("poll_vote")(wrong)


def test_a_payload_type_that_python_cannot_find_is_refused_in_one_line_that_says_so() -> None:
    def lost(client: Client, vote: Nowhere) -> None:  # type: ignore[name-defined] # noqa: F821
        raise NotImplementedError

    with pytest.raises(TypeError, match=r"lost.*Nowhere.*can't be found"):
        Hub().on("poll_vote")(lost)


def test_a_client_type_that_only_the_type_checker_sees_is_no_matter() -> None:
    def typed_elsewhere(client: OnlyForTheChecker, vote: PollVote) -> None:  # type: ignore[name-defined] # noqa: F821
        raise NotImplementedError

    hub = Hub()
    hub.on("poll_vote")(typed_elsewhere)
    assert hub.event_types == ["poll_vote"]


def test_a_payload_type_that_cannot_be_read_is_refused_when_it_is_added() -> None:
    """Not when the first event comes, which would close every connection."""

    class One(Struct):
        a: int

    class Two(Struct):
        b: int

    hub = Hub()

    def ambiguous(client: Client, payload: Any) -> None:
        raise NotImplementedError

    with pytest.raises(TypeError, match="poll_vote"):
        hub.add_handler("poll_vote", One | Two, ambiguous)  # type: ignore[arg-type]
    assert hub.event_types == []
    hub.on("poll_vote")(vote_handler)


def vote_handler(client: Client, vote: PollVote) -> None:
    """A handler that is never called."""
    raise NotImplementedError


def run(folder: Path, hub: Hub, body: Any) -> None:
    """Run the body of a test in a world with this hub."""
    import asyncio

    async def main() -> None:
        async with a_chat(folder, hub) as world:
            await body(world)

    asyncio.run(main())
