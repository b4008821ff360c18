#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "clients/bench/wire.h"
#include "trestle/producer.h"

namespace trestle::bench {

/// What a measured trestled is to be like.
struct BridgeOptions {
  std::filesystem::path program;      ///< trestled
  std::string stream = "trestle.db";  ///< stream.path; ":memory:" for none
  std::string durability = "process";
  std::uint64_t retain = 0;      ///< events of type `bench` that are kept; 0: by the built-in policies
  std::string queue = "256MiB";  ///< session.queue
};

/// A trestled of our own, with its own folder and free ports. The folder is in TMPDIR, or in /tmp: that is
/// the disk that is measured. Ends with the object, and its folder with it.
class Bridge {
 public:
  explicit Bridge(BridgeOptions options);
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  /// Starts it and waits until /readyz says so. Returns the seconds from exec to that answer.
  double start();
  /// SIGTERM, and waits for its end.
  void stop();
  /// kill -9.
  void kill();

  /// See cpu.h.
  double cpu() const;
  /// Resident bytes, VmRSS of /proc/PID/status.
  std::uint64_t resident() const;
  /// Where clients connect; `query` comes behind the token.
  Target target(const std::string& query) const;
  BridgeAddress address() const;
  /// Bytes of the journal and all that lies beside it.
  std::uint64_t disk() const;
  /// Lets the kernel forget the journal's pages, so that the next start reads it from the disk.
  void drop_from_cache() const;

 private:
  void write_config() const;
  void end(int signal);

  const BridgeOptions options_;
  const std::filesystem::path folder_;
  const std::uint16_t port_;
  const std::uint16_t events_;
  const std::uint16_t control_;
  pid_t pid_ = -1;
};

}  // namespace trestle::bench
