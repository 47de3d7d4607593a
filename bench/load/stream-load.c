/*
 * A load generator for DNS over TCP and over TLS (RFC 7766, RFC 7858): a few connections, many queries under way on each,
 * replies in any order.
 *
 *   stream-load tcp|tls ADDRESS PORT QUESTIONS SECONDS window N|rate N
 *
 * Questions, pace and report are those of load.c. The server's certificate is not looked at. Queries under way on a
 * connection that the server closes are lost; it is opened anew.
 */
#include "common.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

#define CONNECTIONS 4
#define BUFFER 131072

struct connection {
    int fd;
    SSL *ssl; /* NULL: TCP alone */
    uint8_t in[BUFFER], out[BUFFER];
    size_t have, begin, end; /* octets of `in`; those of `out` that are not sent yet */
    uint16_t next_id;
    long under_way;
    uint64_t sent_at[IDS];
};

static struct connection connections[CONNECTIONS];
static struct sockaddr_in server = {.sin_family = AF_INET};
static SSL_CTX *tls;

static void open_connection(struct connection *c) {
    int yes = 1;
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (tls) {
        c->ssl = SSL_new(tls);
        SSL_set_fd(c->ssl, c->fd);
        if (SSL_connect(c->ssl) != 1) {
            ERR_print_errors_fp(stderr);
            exit(1);
        }
    }
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
}

static void reopen(struct connection *c) {
    lost += (uint64_t)c->under_way;
    under_way -= c->under_way;
    SSL_free(c->ssl);
    close(c->fd);
    open_connection(c);
}

/* Octets; 0: not now; -1: the connection has ended. */
static long transfer(struct connection *c, int is_read, uint8_t *octets, size_t size) {
    if (!c->ssl) {
        ssize_t count = is_read ? read(c->fd, octets, size) : write(c->fd, octets, size);
        if (count < 0) return errno == EAGAIN ? 0 : -1;
        return count == 0 && is_read ? -1 : count;
    }
    int count = is_read ? SSL_read(c->ssl, octets, (int)size) : SSL_write(c->ssl, octets, (int)size);
    if (count > 0) return count;
    int error = SSL_get_error(c->ssl, count);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Writes so many queries behind those that wait, as far as there is space. */
static void ask(struct connection *c, const struct question *questions, size_t count, size_t *turn, long wanted) {
    uint64_t time = now();
    if (c->begin == c->end) c->begin = c->end = 0;
    for (; wanted > 0; wanted--) {
        const struct question *question = &questions[*turn];
        uint16_t id = c->next_id;
        if (c->end + 2u + question->length > BUFFER || c->sent_at[id]) break;
        uint8_t *at = c->out + c->end;
        at[0] = (uint8_t)(question->length >> 8), at[1] = (uint8_t)question->length;
        memcpy(at + 2, question->octets, question->length);
        at[2] = (uint8_t)(id >> 8), at[3] = (uint8_t)id;
        c->end += 2u + question->length;
        c->sent_at[id] = time;
        c->next_id++, c->under_way++, under_way++, sent++;
        *turn = (*turn + 1) % count;
    }
}

static int flush(struct connection *c) {
    while (c->begin < c->end) {
        long count = transfer(c, 0, c->out + c->begin, c->end - c->begin);
        if (count <= 0) return (int)count;
        c->begin += (size_t)count;
    }
    return 0;
}

static int receive(struct connection *c) {
    for (;;) {
        long count = transfer(c, 1, c->in + c->have, BUFFER - c->have);
        if (count <= 0) return (int)count;
        c->have += (size_t)count;
        uint64_t time = now();
        size_t at = 0;
        for (size_t length; at + 2 <= c->have; at += 2 + length) {
            length = (size_t)(c->in[at] << 8 | c->in[at + 1]);
            if (at + 2 + length > c->have) break;
            const uint8_t *reply = c->in + at + 2;
            uint64_t *slot = length < 12 ? NULL : &c->sent_at[reply[0] << 8 | reply[1]];
            if (!slot || !*slot) continue;
            count_reply(reply, *slot, time);
            *slot = 0;
            c->under_way--;
        }
        memmove(c->in, c->in + at, c->have - at);
        c->have -= at;
    }
}

/* Waits for replies, and for space where queries wait for it. */
static void exchange(long nanoseconds) {
    struct pollfd polled[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &connections[i];
        polled[i] = (struct pollfd){c->fd, (short)(POLLIN | (c->begin < c->end ? POLLOUT : 0)), 0};
    }
    struct timespec wait = {0, nanoseconds};
    if (ppoll(polled, CONNECTIONS, &wait, NULL) <= 0) return;
    for (int i = 0; i < CONNECTIONS; i++)
        if (polled[i].revents && (receive(&connections[i]) < 0 || flush(&connections[i]) < 0)) reopen(&connections[i]);
}

int main(int argc, char **argv) {
    if (argc != 8) {
        fprintf(stderr, "usage: stream-load tcp|tls ADDRESS PORT QUESTIONS SECONDS window|rate N\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    server.sin_port = htons((uint16_t)atoi(argv[3]));
    if (inet_pton(AF_INET, argv[2], &server.sin_addr) != 1) die(argv[2]);
    if (strcmp(argv[1], "tls") == 0) {
        tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    size_t count, turn = 0;
    const struct question *questions = read_questions(argv[4], &count);
    int by_rate = strcmp(argv[6], "rate") == 0;
    long amount = atol(argv[7]);
    for (int i = 0; i < CONNECTIONS; i++) open_connection(&connections[i]);

    uint64_t start = now(), end = start + (uint64_t)(atof(argv[5]) * 1e9), time = start;
    for (int index = 0; time < end; index = (index + 1) % CONNECTIONS, time = now()) {
        struct connection *c = &connections[index];
        long due = by_rate ? (long)((double)(time - start) * (double)amount / 1e9) - (long)sent
                           : (amount + CONNECTIONS - 1) / CONNECTIONS - c->under_way;
        if (due > 0) ask(c, questions, count, &turn, due);
        if (flush(c) < 0) reopen(c);
        /* A window looks at each connection in turn; a rate rests until the next query is due. */
        exchange(by_rate ? 50000 : index == CONNECTIONS - 1 ? 1000000 : 0);
    }
    uint64_t elapsed = time - start;
    /* What is still on its way counts, if it comes within the time that makes a query lost. */
    for (uint64_t limit = now() + LOST_AFTER; under_way > 0 && now() < limit;) exchange(10000000);
    print_report(elapsed);
    return 0;
}
