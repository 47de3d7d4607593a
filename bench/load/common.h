/* What the load generators share: the questions, what is counted, and the line of JSON that says so. */
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

#define IDS 65536
#define LOST_AFTER 1000000000ull /* ns */
#define BUCKETS 200000           /* of one microsecond each; the last holds what is slower */

struct question {
    const uint8_t *octets;
    uint16_t length;
};

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

/* A file of queries, each with its length before it (two octets, as over TCP). */
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

/* A reply to a query that was sent at `since`; at least a header long. */
static void count_reply(const uint8_t *reply, uint64_t since, uint64_t time) {
    uint64_t micros = (time - since) / 1000;
    latency[micros < BUCKETS ? micros : BUCKETS - 1]++;
    under_way--;
    received++;
    rcodes[reply[3] & 15]++;
    if (!reply[6] && !reply[7]) empty++;
    if (reply[2] & 2) truncated++;
}

static uint64_t percentile(double share) {
    uint64_t wanted = (uint64_t)((double)received * share), seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += latency[i]) > wanted) return (uint64_t)i;
    return received ? BUCKETS - 1 : 0;
}

/* Latencies in microseconds. What is under way still is lost. */
static void print_report(uint64_t elapsed) {
    lost += (uint64_t)under_way;
    printf("{\"seconds\":%.6f,\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"empty\":%llu,\"truncated\":%llu,"
           "\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"rcodes\":[",
           (double)elapsed / 1e9, (unsigned long long)sent, (unsigned long long)received, (unsigned long long)lost,
           (unsigned long long)empty, (unsigned long long)truncated, (unsigned long long)percentile(0.5),
           (unsigned long long)percentile(0.99), (unsigned long long)percentile(0.999));
    for (int i = 0; i < 16; i++) printf("%s%llu", i ? "," : "", (unsigned long long)rcodes[i]);
    printf("]}\n");
}
