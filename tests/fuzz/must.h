#pragma once
#include <cstdio>
#include <cstdlib>

/// Ends the fuzzer with a crash if a promise is broken; unlike assert, in every build type.
#define MUST(condition)                                                          \
  do {                                                                           \
    if (!(condition)) {                                                          \
      std::fprintf(stderr, "%s:%d: MUST(%s)\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                              \
    }                                                                            \
  } while (false)
