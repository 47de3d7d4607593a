/*
 * The upstream of the servers that are measured: every name has one address and no other records, but for those below
 * `internal.`, which do not exist. Costs little beside them: recvmmsg and sendmmsg, no decoding beyond the end of the
 * question.
 *
 *   upstream
 *
 * Prints its port (of 127.0.0.1, UDP). Each line on standard input is how many questions it answers a second from then
 * on, as a resolver that has too much to do and is silent to the others; a negative number: all. Ends with its input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define QUERY_SIZE 512
#define HEADER 12

/* One A record for the question's name: TTL 300, 192.0.2.1 (RFC 1035 section 4.1). */
static const uint8_t record[] = {0xc0, HEADER, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};
/* The root's SOA, TTL and MINIMUM 300: how long a denial may be kept (RFC 2308 section 3). */
static const uint8_t soa[] = {0, 0, 6, 0, 1, 0, 0, 1, 44, 0, 22, 0, 0, 0, 0, 0, 1, 0,
                              0, 28, 32, 0, 0, 7, 8, 0, 1, 81, 128, 0, 0, 1, 44};
/* In any case: some who ask mix it (draft-vixie-dnsext-dns0x20). */
static const char internal[] = "\x08internal";
/* QR, RD, RA; one question; one record as the answer, or one as the authority. */
static const uint8_t answer_head[] = {0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
static const uint8_t denial_head[] = {0x81, 0x80, 0, 1, 0, 0, 0, 1, 0, 0};
#define TYPE_A 1
#define NXDOMAIN 3

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* By tenths of a second: a second's worth at once would be a burst that no resolver has. */
static int may_answer(long capacity) {
    static uint64_t tenth, answered;
    struct timespec t;
    if (capacity < 0) return 1;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t current = (uint64_t)t.tv_sec * 10 + (uint64_t)t.tv_nsec / 100000000;
    if (current != tenth) answered = 0;
    tenth = current;
    return ++answered <= (uint64_t)capacity / 10;
}

/* Makes the reply where the query is; its length, 0: none. */
static unsigned answer(uint8_t *packet, unsigned length) {
    unsigned end = HEADER, last = HEADER;
    while (end < length && packet[end] != 0) {
        last = end;
        end += packet[end] + 1u;
    }
    if (end + 5 > length) return 0;
    int is_internal = end - last == sizeof internal - 1 && strncasecmp((char *)packet + last, internal, sizeof internal - 1) == 0;
    int is_address = packet[end + 1] == 0 && packet[end + 2] == TYPE_A;
    end += 5; /* the root label, type and class */
    if (is_address && !is_internal) {
        memcpy(packet + 2, answer_head, sizeof answer_head);
        memcpy(packet + end, record, sizeof record);
        return end + (unsigned)sizeof record;
    }
    memcpy(packet + 2, denial_head, sizeof denial_head);
    if (is_internal) packet[3] |= NXDOMAIN;
    memcpy(packet + end, soa, sizeof soa);
    return end + (unsigned)sizeof soa;
}

static void serve(int fd, long capacity) {
    static uint8_t packets[BATCH][QUERY_SIZE + sizeof soa];
    static struct sockaddr_in clients[BATCH];
    struct mmsghdr messages[BATCH], replies[BATCH];
    struct iovec parts[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){packets[i], QUERY_SIZE};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &clients[i], .msg_namelen = sizeof clients[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN && errno != ECONNREFUSED) die("recvmmsg");
    int ready = 0;
    for (int i = 0; i < count; i++) {
        if (!may_answer(capacity)) continue;
        parts[i].iov_len = answer(packets[i], messages[i].msg_len);
        if (parts[i].iov_len > 0) replies[ready++] = messages[i];
    }
    /* What the system does not take is lost, as it may be anywhere on its way. */
    for (int done = 0; done < ready;) {
        int sent = sendmmsg(fd, replies + done, (unsigned)(ready - done), 0);
        done += sent > 0 ? sent : 1;
    }
}

int main(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) die("socket");
    int size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    long capacity = -1;
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0) die("poll");
        if (polled[1].revents) {
            char text[64];
            ssize_t count = read(STDIN_FILENO, text, sizeof text - 1);
            if (count <= 0) return 0;
            text[count] = 0;
            capacity = atol(text);
        }
        if (polled[0].revents) serve(fd, capacity);
    }
}
