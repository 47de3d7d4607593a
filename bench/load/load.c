/*
 * A load generator for DNS over UDP that costs little beside the server that it measures: sendmmsg and recvmmsg, no
 * copying, no decoding beyond the header.
 *
 *   load ADDRESS PORT QUESTIONS SECONDS window N|rate N [SOURCE]
 *
 * QUESTIONS is a file of queries in turn, each with its length before it (two octets, as over TCP). `window` keeps N
 * queries under way (throughput); `rate` sends N a second whatever comes back (latency). A query without a reply after
 * a second is lost. SOURCE is the address to ask from. Prints one line of JSON; latencies in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS 8 /* source ports, so that a server with several sockets on one port uses them all */
#define BATCH 32
#define IDS 65536
#define REPLY_SIZE 4096
#define LOST_AFTER 1000000000ull /* ns */
#define BUCKETS 200000           /* of one microsecond each; the last holds what is slower */

struct question {
    const uint8_t *octets;
    uint16_t length;
};

static uint64_t sent_at[SOCKETS][IDS]; /* 0: no query under way */
static uint16_t next_id[SOCKETS];
static uint32_t latency[BUCKETS];
static uint64_t sent, received, lost, rcodes[16], empty, truncated;
static long under_way;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct question *read_questions(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *octets = malloc(size > 0 ? (size_t)size : 1);
    if (!octets || fread(octets, 1, (size_t)size, file) != (size_t)size) die(path);
    fclose(file);
    struct question *questions = malloc(((size_t)size / 12 + 1) * sizeof *questions);
    *count = 0;
    for (long at = 0; at + 2 <= size;) {
        uint16_t length = (uint16_t)(octets[at] << 8 | octets[at + 1]);
        questions[(*count)++] = (struct question){octets + at + 2, length};
        at += 2 + length;
    }
    if (*count == 0) {
        fprintf(stderr, "%s: no questions\n", path);
        exit(1);
    }
    return questions;
}

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
    struct iovec parts[BATCH][2];
    uint16_t ids[BATCH];
    memset(messages, 0, sizeof messages);
    for (unsigned i = 0; i < size; i++) {
        const struct question *question = &questions[(*turn + i) % count];
        ids[i] = htons((uint16_t)(next_id[index] + i));
        parts[i][0] = (struct iovec){&ids[i], 2};
        parts[i][1] = (struct iovec){(void *)(question->octets + 2), question->length - 2u};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = 2};
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
        uint64_t micros = (time - *slot) / 1000;
        latency[micros < BUCKETS ? micros : BUCKETS - 1]++;
        *slot = 0;
        under_way--;
        received++;
        rcodes[reply[3] & 15]++;
        if (!reply[6] && !reply[7]) empty++;
        if (reply[2] & 2) truncated++;
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

static uint64_t percentile(double share) {
    uint64_t wanted = (uint64_t)((double)received * share), seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += latency[i]) > wanted) return (uint64_t)i;
    return received ? BUCKETS - 1 : 0;
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: load ADDRESS PORT QUESTIONS SECONDS window|rate N [SOURCE]\n");
        return 2;
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) die(argv[1]);
    size_t count, turn = 0;
    const struct question *questions = read_questions(argv[3], &count);
    int by_rate = strcmp(argv[5], "rate") == 0;
    long amount = atol(argv[6]);
    struct pollfd polled[SOCKETS];
    for (int i = 0; i < SOCKETS; i++)
        polled[i] = (struct pollfd){open_socket(&server, argc > 7 ? argv[7] : NULL), POLLIN, 0};

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
    lost += (uint64_t)under_way;
    printf("{\"seconds\":%.6f,\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"empty\":%llu,\"truncated\":%llu,"
           "\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"rcodes\":[",
           (double)elapsed / 1e9, (unsigned long long)sent, (unsigned long long)received, (unsigned long long)lost,
           (unsigned long long)empty, (unsigned long long)truncated, (unsigned long long)percentile(0.5),
           (unsigned long long)percentile(0.99), (unsigned long long)percentile(0.999));
    for (int i = 0; i < 16; i++) printf("%s%llu", i ? "," : "", (unsigned long long)rcodes[i]);
    printf("]}\n");
    return 0;
}
