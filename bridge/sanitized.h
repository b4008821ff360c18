#pragma once

// TRESTLE_IS_SANITIZED: built with a sanitizer that watches memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TRESTLE_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TRESTLE_IS_SANITIZED 1
#endif
#endif
