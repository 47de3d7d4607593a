/*
 * A load generator for DNS over UDP that costs little beside the server that it measures: sendmmsg and recvmmsg, no
 * copying, no decoding beyond the header.
 *
 *   load ADDRESS PORT QUESTIONS SECONDS window N|rate N [SOURCE|- [fresh]]
 *
 * QUESTIONS is a file of queries in turn. `window` keeps N queries under way (throughput); `rate` sends N a second
 * whatever comes back (latency). A query without a reply after a second is lost. SOURCE is the address to ask from.
 * `fresh`: the first eight octets of each name's first label become a number that no query before had. Prints one line
 * of JSON.
 */
#include "common.h"

#define SOCKETS 8 /* source ports, so that a server with several sockets on one port uses them all */
#define BATCH 32
#define REPLY_SIZE 4096
#define DIGITS 8
#define DIGITS_AT 13 /* after the header and the first label's length */

static uint64_t sent_at[SOCKETS][IDS]; /* 0: no query under way */
static uint16_t next_id[SOCKETS];
static int is_fresh;
static uint32_t next_number;

static int open_socket(const struct sockaddr_in *server, const char *source) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) die("socket");
    int size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (source) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        if (inet_pton(AF_INET, source, &from.sin_addr) != 1) die(source);
        if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
    }
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0) die("connect");
    return fd;
}

static void send_batch(int fd, int index, const struct question *questions, size_t count, size_t *turn, unsigned size) {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH][4];
    uint16_t ids[BATCH];
    char digits[BATCH][DIGITS + 1];
    memset(messages, 0, sizeof messages);
    for (unsigned i = 0; i < size; i++) {
        const struct question *question = &questions[(*turn + i) % count];
        ids[i] = htons((uint16_t)(next_id[index] + i));
        uint8_t *octets = (uint8_t *)question->octets;
        parts[i][0] = (struct iovec){&ids[i], 2};
        parts[i][1] = (struct iovec){octets + 2, question->length - 2u};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = 2};
        if (!is_fresh) continue;
        snprintf(digits[i], sizeof digits[i], "%08x", next_number + i);
        parts[i][1].iov_len = DIGITS_AT - 2;
        parts[i][2] = (struct iovec){digits[i], DIGITS};
        parts[i][3] = (struct iovec){octets + DIGITS_AT + DIGITS, question->length - (unsigned)(DIGITS_AT + DIGITS)};
        messages[i].msg_hdr.msg_iovlen = 4;
    }
    uint64_t time = now();
    int done = sendmmsg(fd, messages, size, 0);
    if (done < 0) {
        /* ECONNREFUSED tells of an earlier datagram: the server is not there, or not there yet. */
        if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED) die("sendmmsg");
        return;
    }
    for (int i = 0; i < done; i++) {
        uint64_t *slot = &sent_at[index][(uint16_t)(next_id[index] + i)];
        if (*slot) lost++;
        else under_way++;
        *slot = time;
    }
    next_id[index] = (uint16_t)(next_id[index] + done);
    next_number += (uint32_t)done;
    *turn = (*turn + (size_t)done) % count;
    sent += (uint64_t)done;
}

static void receive(int fd, int index) {
    static uint8_t replies[BATCH][REPLY_SIZE];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){replies[i], REPLY_SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0) {
        if (errno != EAGAIN && errno != ECONNREFUSED) die("recvmmsg");
        return;
    }
    uint64_t time = now();
    for (int i = 0; i < count; i++) {
        const uint8_t *reply = replies[i];
        if (messages[i].msg_len < 12) continue;
        uint64_t *slot = &sent_at[index][reply[0] << 8 | reply[1]];
        if (!*slot) continue;
        count_reply(reply, *slot, time);
        *slot = 0;
    }
}

/* Gives up queries that have waited too long. */
static void sweep(void) {
    uint64_t time = now();
    for (int index = 0; index < SOCKETS; index++)
        for (int id = 0; id < IDS; id++)
            if (sent_at[index][id] && time - sent_at[index][id] > LOST_AFTER) {
                sent_at[index][id] = 0;
                under_way--;
                lost++;
            }
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: load ADDRESS PORT QUESTIONS SECONDS window|rate N [SOURCE|- [fresh]]\n");
        return 2;
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) die(argv[1]);
    size_t count, turn = 0;
    const struct question *questions = read_questions(argv[3], &count);
    int by_rate = strcmp(argv[5], "rate") == 0;
    long amount = atol(argv[6]);
    const char *source = argc > 7 && strcmp(argv[7], "-") != 0 ? argv[7] : NULL;
    is_fresh = argc > 8 && strcmp(argv[8], "fresh") == 0;
    /* One a microsecond: more than is sent, so that no two runs of the same hour share a number. */
    next_number = (uint32_t)(now() / 1000);
    struct pollfd polled[SOCKETS];
    for (int i = 0; i < SOCKETS; i++) polled[i] = (struct pollfd){open_socket(&server, source), POLLIN, 0};

    uint64_t start = now(), end = start + (uint64_t)(atof(argv[4]) * 1e9), next_sweep = start + LOST_AFTER / 10;
    uint64_t time = start;
    for (int index = 0; time < end; index = (index + 1) % SOCKETS, time = now()) {
        long due = by_rate ? (long)((double)(time - start) * (double)amount / 1e9) - (long)sent : amount - under_way;
        /* A window goes out over all sockets; what a rate owes goes out at once. */
        long share = by_rate ? due : (due + SOCKETS - 1) / SOCKETS;
        if (share > 0) send_batch(polled[index].fd, index, questions, count, &turn, share < BATCH ? (unsigned)share : BATCH);
        int owes = by_rate ? share > BATCH : share > 0 && due > share;
        struct timespec wait = {0, owes ? 0 : by_rate ? 1000000000l / (amount > 20000 ? amount : 20000) : 1000000};
        if (ppoll(polled, SOCKETS, &wait, NULL) > 0)
            for (int i = 0; i < SOCKETS; i++)
                if (polled[i].revents & (POLLIN | POLLERR)) receive(polled[i].fd, i);
        if (time > next_sweep) {
            sweep();
            next_sweep = time + LOST_AFTER / 10;
        }
    }
    uint64_t elapsed = time - start;
    /* What is still on its way counts, if it comes within the time that makes a query lost. */
    for (uint64_t limit = now() + LOST_AFTER; under_way > 0 && now() < limit;)
        if (poll(polled, SOCKETS, 10) > 0)
            for (int i = 0; i < SOCKETS; i++)
                if (polled[i].revents) receive(polled[i].fd, i);
    print_report(elapsed);
    return 0;
}
