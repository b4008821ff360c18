#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace trestle {

/// The two halves of permessage-deflate (RFC 7692, section 7.2), without context takeover: a message is
/// compressed by itself, so one compressed form serves every client. Both keep zlib's memory between
/// messages.
///
/// Owner and thread: one shard's.

/// Compresses what goes to clients. Memory: about 144 KiB.
class Deflater {
 public:
  /// Measured (tests/bench/README.md): a higher level costs more time than the bytes of a JSON event are
  /// worth, more memory is not felt. zlib's own scales: level 1 to 9, memory 1 to 9.
  static constexpr int kLevel = 1;
  static constexpr int kMemory = 5;

  explicit Deflater(int level = kLevel, int memory = kMemory);
  ~Deflater();

  /// Appends what `message` shrinks to, ready to be a frame's payload. False, and `out` as it was, if it
  /// would not be shorter.
  bool deflate(std::string_view message, std::string& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Inflated {
  ok,
  too_big,  ///< longer than allowed; it was given up there
  invalid,  ///< not DEFLATE data, or cut within a block
};

/// Inflates what clients send. Memory: about 64 KiB.
class Inflater {
 public:
  Inflater();
  ~Inflater();

  /// Replaces `out` by what `message`, the payload of all its frames, inflates to. At most `max` bytes and a
  /// buffer more are ever made of it, whatever it claims.
  Inflated inflate(std::string_view message, std::size_t max, std::string& out);

 private:
  Inflated take(std::string_view bytes, std::size_t max, std::string& out);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trestle
