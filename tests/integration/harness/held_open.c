// LD_PRELOAD for trestled: holds it up where it opens one file, for as long as somebody has the pipe beside it open.
//
// HELD_FILE: the file. The pipe is HELD_FILE.pipe.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int Open(const char*, int, ...);

static Open* real(void) {
  static Open* found;
  if (!found) *(void**)&found = dlsym(RTLD_NEXT, "open");
  return found;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  const char* held = getenv("HELD_FILE");
  if (held && strcmp(path, held) == 0) {
    char pipe[4096], byte;
    snprintf(pipe, sizeof pipe, "%s.pipe", held);
    const int fd = real()(pipe, O_RDONLY | O_CLOEXEC);
    while (read(fd, &byte, 1) > 0) {
    }
    close(fd);
  }
  return real()(path, flags, mode);
}

int open64(const char* path, int flags, ...) __attribute__((alias("open")));
