// LD_PRELOAD for trestled: its sockets take fewer bytes than they are given, and often none, by a seeded schedule. So every
// place in every frame is one where a write ends, which a kernel's buffers do only now and then.
//
// SHORT_WRITES_SEED: the schedule.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { MOST_SLICES = 16 };

static atomic_uint_fast64_t state;

__attribute__((constructor)) static void begin(void) {
  const char* seed = getenv("SHORT_WRITES_SEED");
  atomic_store(&state, seed ? strtoull(seed, NULL, 10) : 1);
}

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
static uint64_t next(void) {
  uint64_t z = atomic_fetch_add(&state, 0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Mostly a few bytes, so that headers are cut everywhere; sometimes many, so that large frames end.
static size_t allowance(void) {
  const uint64_t dice = next();
  switch (dice % 8) {
    case 0: return 0;
    case 1:
    case 2: return 1 + (dice >> 8) % 65536;
    case 3:
    case 4: return 1 + (dice >> 8) % 300;
    default: return 1 + (dice >> 8) % 12;
  }
}

// One buffer is sent by send(), as ZeroMQ's are too, which are left alone: theirs are not marked MSG_DONTWAIT.
ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static ssize_t (*real)(int, const void*, size_t, int);
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "send");
  if (!(flags & MSG_DONTWAIT)) return real(fd, bytes, size, flags);
  const size_t most = allowance();
  if (most == 0) {
    errno = EAGAIN;
    return -1;
  }
  return real(fd, bytes, size < most ? size : most, flags);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  static ssize_t (*real)(int, const struct msghdr*, int);
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "sendmsg");
  size_t left = allowance();
  if (left == 0) {
    errno = EAGAIN;
    return -1;
  }
  struct iovec slices[MOST_SLICES];
  size_t count = 0;
  for (; count < message->msg_iovlen && count < MOST_SLICES && left > 0; ++count) {
    slices[count] = message->msg_iov[count];
    if (slices[count].iov_len > left) slices[count].iov_len = left;
    left -= slices[count].iov_len;
  }
  struct msghdr shorter = *message;
  shorter.msg_iov = slices;
  shorter.msg_iovlen = count;
  return real(fd, &shorter, flags);
}
