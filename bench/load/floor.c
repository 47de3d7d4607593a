/*
 * The floor under every DNS server over UDP: recvmmsg, set QR, sendmmsg. No lookup, no answer. What it costs a packet is
 * what the system's calls cost.
 *
 *   floor ADDRESS PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define SIZE 2048

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: floor ADDRESS PORT\n");
        return 2;
    }
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (inet_pton(AF_INET, argv[1], &local.sin_addr) != 1 || bind(fd, (struct sockaddr *)&local, sizeof local) != 0) {
        perror("bind");
        return 1;
    }
    static uint8_t packets[BATCH][SIZE];
    static struct sockaddr_in clients[BATCH];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    for (;;) {
        memset(messages, 0, sizeof messages);
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){packets[i], SIZE};
            messages[i].msg_hdr = (struct msghdr){
                .msg_name = &clients[i], .msg_namelen = sizeof clients[i], .msg_iov = &parts[i], .msg_iovlen = 1};
        }
        int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++) {
            packets[i][2] |= 0x80;
            parts[i].iov_len = messages[i].msg_len;
        }
        for (int done = 0; done < count;) {
            int more = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
            if (more <= 0) break;
            done += more;
        }
    }
}
