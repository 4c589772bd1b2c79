"""A chat server with polls of its own: `python poll.py`."""

from hubbub import Client, Hub, Payload, run

hub = Hub()


class PollVote(Payload, frozen=True):
    """What a client sends as the payload of `poll_vote`."""

    room: str
    option: str


@hub.on("poll_vote")
async def vote(client: Client, vote: PollVote) -> None:
    await client.append(vote.room, "poll_voted", {"option": vote.option})


if __name__ == "__main__":
    raise SystemExit(run(hub))
