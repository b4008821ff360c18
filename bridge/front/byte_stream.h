#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace trestle {

/// How a read or write on a non-blocking stream ended.
enum class Io {
  done,        ///< some bytes went through
  wait_read,   ///< nothing now: again when the socket is readable
  wait_write,  ///< nothing now: again when it is writable
  closed,      ///< the peer has closed its side
  failed,      ///< the connection is broken
};

/// The bytes of one accepted connection, plain or TLS. Never blocks, never throws; the descriptor belongs to
/// someone else.
///
/// Thread: the shard's.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual Io read(char* buffer, std::size_t size, std::size_t& got) = 0;
  /// Writes from the slices in order; `written` may end anywhere. What counts as written is on its way,
  /// whatever becomes of the caller's copy.
  virtual Io write(const std::string_view* slices, std::size_t count, std::size_t& written) = 0;
  /// True if bytes that count as written have not all left: flush() when the socket is writable, and before
  /// finish_writing(). Bound: one TLS record, 16 KiB.
  virtual bool holds_bytes() const { return false; }
  virtual Io flush() { return Io::done; }
  /// Says that nothing more will be written; the peer may still send.
  virtual void finish_writing() = 0;
  /// Who the peer's certificate says it is; empty without one. After the first read().
  virtual std::string certificate_name() const { return {}; }
};

/// recv and send on a TCP socket.
std::unique_ptr<ByteStream> plain_stream(int fd);
/// What is left of a connection whose descriptor was closed, and may be somebody else's by now: takes and
/// gives nothing.
std::unique_ptr<ByteStream> closed_stream();

}  // namespace trestle
