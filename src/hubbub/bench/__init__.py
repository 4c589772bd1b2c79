"""The load generator: many clients in several processes, which count and check all that they receive.

How it can be exact and still outrun the server
===============================================
Every connection is checked for loss, repeat and disorder, not a sample of them. Done naively, one Python call
for each frame received, that costs 0.8 µs a delivery and would measure the generator: under load a server that
joins frames makes millions of deliveries a second. But everyone in a room must receive the same bytes for each
entry of the room's log. So:

- each process keeps the log of each room as bytes, `stream.RoomStream`: the finished frames of all entries, joined;
- whoever of its connections receives an entry first has it parsed and its number checked, once;
- for all others, what arrives is compared with the bytes at that connection's own place in the log (one `memcmp`
  over hundreds of frames). Equal bytes are an exact proof of the right entries, complete and in order;
- where they differ (a ping, a change of presence, or a fault) the frames are walked one by one: what is not an entry of
  the log is handled and set aside, and a hole, a repeat, a swap or a changed byte is found and named.

A room that is spread over several processes has its log compared between them at the end.

Measured on one core, in a room of 1,000: with some 100 frames a read, 0.1 µs a delivery, everything included, against
0.8 µs with a callback of picows for each frame; with one frame a read about 3 µs, two thirds of which are the kernel's.

The parts
=========
Clients connect, shake hands, frame and mask with picows on uvloop (`client`). Once a connection is in its room and
picows holds no rest, its socket is read by `ears`, which hands the bytes to its `reader`; a `speaker` says what is
sent. `dialect` is how other servers write the same. `worker` is one process of clients, `plan` what processes tell one
another; `load` starts them, measures the server (`process`) and adds up; `server` starts a server to measure, `report` writes
the result down, `command` is the command.

Latency is counted from the *intended* time of sending, for every delivery: in an open loop a server that
stalls is charged for all messages that should have been sent meanwhile (no coordinated omission).
"""
