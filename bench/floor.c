/*
 * floor: the least that a chat server can do, as a measure for those that do more.
 *
 * One thread and epoll. It reads a frame, puts the next number of its room into it, and sends the result to
 * every member of the room with one send() each. It knows no accounts, checks nothing that it need not, and
 * keeps no log: what it costs is what the kernel costs, and every server pays at least that for each write.
 *
 * It speaks as much of Hubbub's wire as the load generator needs:
 *   {"type":"enter","payload":{"room":"R"}}         -> {"type":"entered","payload":{"room":"R","head":N,...}}
 *   {"type":"send_message","payload":{"room":...}}  -> {"type":"new_message","payload":{"seq":N,...}} to all
 * A connection is in one room; the room of a message is the one its sender entered. The fields of the message
 * are passed on as they came. "from" and "sent" are constants, so that a frame is about as long as Hubbub's.
 *
 * Its limits, each met by closing that one connection and never by stopping the others:
 *   - a frame of more than MAX_FRAME bytes (close code 1009), and a fragmented one (1003);
 *   - a reader that is more than MAX_BACKLOG bytes behind. Before that a send() that takes only a part, or
 *     nothing (EAGAIN), leaves the rest in that member's own queue, which is written on when epoll says so.
 *
 * cc -O2 -o floor floor.c && ./floor PORT      (0: a free one; the first line printed names it)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_CHUNK = 64 * 1024,        /* room made before each recv() */
    MAX_FRAME = 1024 * 1024,       /* bytes of payload */
    MAX_BACKLOG = 8 * 1024 * 1024, /* bytes waiting for one reader */
    MAX_NAME = 200,                /* bytes of a room's name */
    EVENTS = 512,
};

enum { CONTINUATION = 0, TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

/* Bytes that grow at the end and are taken from the front. */
typedef struct {
    char *bytes;
    size_t used, size;
} Buffer;

typedef struct Client Client;

typedef struct {
    char name[MAX_NAME + 1];
    uint64_t head; /* the number of the last message */
    Client **members;
    size_t count, size;
} Room;

struct Client {
    int fd;
    int upgraded, broken, awaits_room_to_write;
    Room *room;
    size_t place; /* in room->members */
    Buffer in, out;
    Client *next_broken;
};

static int poller;
static Room **rooms;
static size_t room_count, room_size;
static Client *broken_clients; /* closed once no event of this round can name them any more */

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "floor: out of memory\n");
        exit(1);
    }
    return memory;
}

static Buffer spare; /* the last buffer that became empty: most reads need one for a moment only */

static void reserve(Buffer *buffer, size_t more)
{
    if (!buffer->bytes) {
        *buffer = spare;
        spare = (Buffer){0};
    }
    if (buffer->size - buffer->used >= more)
        return;
    while (buffer->size - buffer->used < more)
        buffer->size = buffer->size ? buffer->size * 2 : 1024;
    buffer->bytes = must(realloc(buffer->bytes, buffer->size));
}

/* Take `count` bytes from the front; an empty buffer gives its memory back, so that idle members are small. */
static void drop(Buffer *buffer, size_t count)
{
    buffer->used -= count;
    if (buffer->used) {
        memmove(buffer->bytes, buffer->bytes + count, buffer->used);
        return;
    }
    free(spare.bytes);
    spare = *buffer;
    *buffer = (Buffer){0};
}

static void watch(Client *client, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    epoll_ctl(poller, operation, client->fd, &event);
}

/* Leave the room at once; the memory goes at the end of the round. */
static void give_up(Client *client)
{
    if (client->broken)
        return;
    client->broken = 1;
    client->next_broken = broken_clients;
    broken_clients = client;
    if (client->room) {
        Room *room = client->room;
        Client *last = room->members[--room->count];
        room->members[client->place] = last;
        last->place = client->place;
    }
}

static void bury_the_broken(void)
{
    while (broken_clients) {
        Client *client = broken_clients;
        broken_clients = client->next_broken;
        close(client->fd);
        free(client->in.bytes);
        free(client->out.bytes);
        free(client);
    }
}

static void deliver(Client *client, const char *bytes, size_t count)
{
    ssize_t sent = 0;
    if (client->broken)
        return;
    if (!client->out.used) {
        sent = send(client->fd, bytes, count, MSG_NOSIGNAL);
        if (sent == (ssize_t)count)
            return;
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            give_up(client);
            return;
        }
        if (sent < 0)
            sent = 0;
    }
    if (client->out.used + count > MAX_BACKLOG) {
        give_up(client);
        return;
    }
    reserve(&client->out, count - sent);
    memcpy(client->out.bytes + client->out.used, bytes + sent, count - sent);
    client->out.used += count - sent;
    if (!client->awaits_room_to_write) {
        client->awaits_room_to_write = 1;
        watch(client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
}

static void write_on(Client *client)
{
    ssize_t sent = send(client->fd, client->out.bytes, client->out.used, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            give_up(client);
        return;
    }
    drop(&client->out, sent);
    if (!client->out.used) {
        client->awaits_room_to_write = 0;
        watch(client, EPOLLIN, EPOLL_CTL_MOD);
    }
}

/* --- frames (RFC 6455, section 5.2) --- */

/* Write the header of an unmasked final frame into `out` (10 bytes at most) and return its length. */
static size_t header(unsigned char *out, int opcode, size_t length)
{
    out[0] = 0x80 | opcode;
    if (length < 126) {
        out[1] = length;
        return 2;
    }
    if (length < 65536) {
        out[1] = 126;
        out[2] = length >> 8;
        out[3] = length;
        return 4;
    }
    out[1] = 127;
    for (int i = 0; i < 8; i++)
        out[2 + i] = (uint64_t)length >> (56 - 8 * i);
    return 10;
}

static void deliver_frame(Client *client, int opcode, const char *payload, size_t length)
{
    char frame[10 + 512];
    size_t start = header((unsigned char *)frame, opcode, length);
    memcpy(frame + start, payload, length);
    deliver(client, frame, start + length);
}

static void close_with(Client *client, int code)
{
    char reason[2] = {code >> 8, code};
    deliver_frame(client, CLOSE, reason, 2);
    give_up(client);
}

static void unmask(char *payload, size_t length, const char mask[4])
{
    uint32_t word;
    size_t i = 0;
    memcpy(&word, mask, 4);
    for (; i + 4 <= length; i += 4) {
        uint32_t part;
        memcpy(&part, payload + i, 4);
        part ^= word;
        memcpy(payload + i, &part, 4);
    }
    for (; i < length; i++)
        payload[i] ^= mask[i & 3];
}

/* --- rooms --- */

static Room *room_named(const char *name, size_t length)
{
    for (size_t i = 0; i < room_count; i++)
        if (!strncmp(rooms[i]->name, name, length) && !rooms[i]->name[length])
            return rooms[i];
    if (room_count == room_size) {
        room_size = room_size ? room_size * 2 : 64;
        rooms = must(realloc(rooms, room_size * sizeof *rooms));
    }
    Room *room = must(calloc(1, sizeof *room));
    memcpy(room->name, name, length);
    rooms[room_count++] = room;
    return room;
}

static void enter(Client *client, const char *payload, size_t length)
{
    static const char key[] = "\"room\":\"";
    const char *name = memmem(payload, length, key, sizeof key - 1);
    const char *end = name ? memchr(name + sizeof key - 1, '"', payload + length - name - (sizeof key - 1)) : NULL;
    if (!end || end - name - (sizeof key - 1) > MAX_NAME || client->room) {
        close_with(client, 1008);
        return;
    }
    name += sizeof key - 1;
    Room *room = client->room = room_named(name, end - name);
    if (room->count == room->size) {
        room->size = room->size ? room->size * 2 : 16;
        room->members = must(realloc(room->members, room->size * sizeof *room->members));
    }
    client->place = room->count;
    room->members[room->count++] = client;
    char answer[MAX_NAME + 200];
    int written = snprintf(answer, sizeof answer,
                           "{\"type\":\"entered\",\"payload\":{\"room\":\"%s\",\"head\":%llu,\"epoch\":\"floor\","
                           "\"messages\":[]}}",
                           room->name, (unsigned long long)room->head);
    deliver_frame(client, TEXT, answer, written);
}

/* Number the message and send it to everyone in its room, one send() each. */
static void pass_on(Client *client, const char *payload, size_t length)
{
    static const char key[] = "\"payload\":{";
    static Buffer frame; /* kept from message to message */
    const char *fields = memmem(payload, length, key, sizeof key - 1);
    Room *room = client->room;
    if (!fields || !room) {
        close_with(client, 1008);
        return;
    }
    fields += sizeof key - 1;
    size_t rest = payload + length - fields;
    char start[200];
    size_t begun = snprintf(start, sizeof start,
                            "{\"type\":\"new_message\",\"payload\":{\"seq\":%llu,\"from\":\"bench-00000\","
                            "\"sent\":\"2000-01-01T00:00:00.000000Z\",",
                            (unsigned long long)++room->head);
    frame.used = 0;
    reserve(&frame, 10 + begun + rest);
    size_t at = header((unsigned char *)frame.bytes, TEXT, begun + rest);
    memcpy(frame.bytes + at, start, begun);
    memcpy(frame.bytes + at + begun, fields, rest);
    at += begun + rest;
    /* From the end: who is given up leaves the room meanwhile, and the last one takes that place. */
    for (size_t i = room->count; i-- > 0;)
        deliver(room->members[i], frame.bytes, at);
}

/* Handle one frame at the front of `in` from `*at` on. Returns 0 if it is not all there yet. */
static int take_frame(Client *client, size_t *at)
{
    unsigned char *bytes = (unsigned char *)client->in.bytes + *at;
    size_t left = client->in.used - *at, start = 2;
    if (left < 6)
        return 0;
    uint64_t length = bytes[1] & 127;
    if (length == 126) {
        length = bytes[2] << 8 | bytes[3];
        start = 4;
    } else if (length == 127) {
        if (left < 10)
            return 0;
        length = 0;
        for (int i = 0; i < 8; i++)
            length = length << 8 | bytes[2 + i];
        start = 10;
    }
    if (length > MAX_FRAME) {
        close_with(client, 1009);
        return 0;
    }
    if (left < start + 4 + length)
        return 0;
    char *payload = (char *)bytes + start + 4;
    unmask(payload, length, (char *)bytes + start);
    *at += start + 4 + length;
    int opcode = bytes[0] & 15, final = bytes[0] & 0x80;
    if (!final || opcode == CONTINUATION)
        close_with(client, 1003);
    else if (opcode == CLOSE)
        close_with(client, 1000);
    else if (opcode == PING && length < 126)
        deliver_frame(client, PONG, payload, length);
    else if (opcode == TEXT && memmem(payload, length < 40 ? length : 40, "\"enter\"", 7))
        enter(client, payload, length);
    else if (opcode == TEXT)
        pass_on(client, payload, length);
    return 1;
}

/* --- the handshake (RFC 6455, section 4.2.2), with SHA-1 (RFC 3174) and base64 --- */

static uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

/* SHA-1 of at most 119 bytes: two blocks, which is all a handshake needs. */
static void sha1(const char *text, size_t length, unsigned char digest[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char blocks[128] = {0};
    size_t count = length < 56 ? 1 : 2;
    memcpy(blocks, text, length);
    blocks[length] = 0x80;
    blocks[count * 64 - 2] = length * 8 >> 8;
    blocks[count * 64 - 1] = length * 8;
    for (size_t block = 0; block < count; block++) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++) {
            unsigned char *p = blocks + block * 64 + i * 4;
            w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++)
            w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                         : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                         : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                                  : (b ^ c ^ d) + 0xCA62C1D6;
            uint32_t next = rotate(a, 5) + f + e + w[i];
            e = d, d = c, c = rotate(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++)
        digest[i] = h[i / 4] >> (24 - i % 4 * 8);
}

/* base64 of the 20 bytes of a digest: 28 characters. */
static void base64(const unsigned char digest[20], char out[29])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *o = out;
    for (int i = 0; i < 21; i += 3) {
        uint32_t group = digest[i] << 16 | digest[i + 1] << 8 | (i + 2 < 20 ? digest[i + 2] : 0);
        for (int shift = 18; shift >= 0; shift -= 6)
            *o++ = digits[group >> shift & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

/* Answer the request for the upgrade once it is all there. Returns 0 while it is not. */
static int upgrade(Client *client)
{
    static const char name[] = "\r\nSec-WebSocket-Key:", magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    reserve(&client->in, 1);
    client->in.bytes[client->in.used] = 0;
    char *end = strstr(client->in.bytes, "\r\n\r\n");
    if (!end) {
        if (client->in.used > 16 * 1024)
            give_up(client);
        return 0;
    }
    char *key = strcasestr(client->in.bytes, name);
    if (!key || key > end) {
        give_up(client);
        return 0;
    }
    key += sizeof name - 1;
    key += strspn(key, " ");
    size_t length = strcspn(key, " \r");
    char text[119], answer[300], accept[29];
    unsigned char digest[21] = {0};
    if (length + sizeof magic - 1 > sizeof text) {
        give_up(client);
        return 0;
    }
    memcpy(text, key, length);
    memcpy(text + length, magic, sizeof magic - 1);
    sha1(text, length + sizeof magic - 1, digest);
    base64(digest, accept);
    char *asks = strcasestr(client->in.bytes, "\r\nSec-WebSocket-Protocol:");
    int written = snprintf(answer, sizeof answer,
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                           accept, asks && asks < end ? "Sec-WebSocket-Protocol: hubbub.v1\r\n" : "");
    deliver(client, answer, written);
    drop(&client->in, end + 4 - client->in.bytes);
    client->upgraded = 1;
    return 1;
}

static void read_from(Client *client)
{
    reserve(&client->in, READ_CHUNK);
    ssize_t count = recv(client->fd, client->in.bytes + client->in.used, client->in.size - client->in.used, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        give_up(client);
        return;
    }
    client->in.used += count;
    if (!client->upgraded && !upgrade(client))
        return;
    size_t at = 0;
    while (!client->broken && take_frame(client, &at))
        ;
    if (at || !client->in.used)
        drop(&client->in, at);
}

static void accept_all(int listener)
{
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        Client *client = must(calloc(1, sizeof *client));
        client->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(client, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)
        || getsockname(fd, (struct sockaddr *)&address, &size)) {
        fprintf(stderr, "floor: cannot listen on 127.0.0.1:%d: %s\n", port, strerror(errno));
        exit(1);
    }
    printf("floor: listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = listen_on(atoi(argv[1]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS], first = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &first);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            Client *client = events[i].data.ptr;
            if (!client) {
                accept_all(listener);
                continue;
            }
            if (!client->broken && events[i].events & EPOLLOUT)
                write_on(client);
            if (!client->broken && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_from(client);
        }
        bury_the_broken();
    }
}
