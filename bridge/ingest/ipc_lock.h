#pragma once
#include <optional>
#include <string>
#include <utility>

#include "proto/result.h"

namespace trestle {

/// The right to bind one ipc:// path. ZeroMQ takes a path from whoever has it, and removes whatever file is
/// there, without a word; so whoever binds one holds a lock (flock) on `<path>.lock` for as long. The lock's
/// file stays behind: removing it would let two hold it at once.
///
/// Ownership: keep it until the socket's context is gone; until then ZeroMQ may still listen there.
class IpcLock {
 public:
  /// No lock, for what needs none.
  IpcLock() = default;
  ~IpcLock();
  IpcLock(IpcLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  IpcLock& operator=(IpcLock&& other) noexcept;

  /// Takes over what a killed owner left. Errors: somebody has the path, its folder is missing or closed to
  /// us, or something that is no socket is there; in words, without the path itself.
  static Result<IpcLock> take(const std::string& path);
  /// What take() would fail with whoever has the path, found without making anything.
  static std::optional<Error> find_fault(const std::string& path);

 private:
  explicit IpcLock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace trestle
