#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/attacks.h"

namespace trestle::bench {

/// A process that attacks, with the lowest priority: it takes what CPU time the others leave, and how much
/// that is can be told apart from theirs. Made before this process has threads; ends with the object.
class Attacker {
 public:
  struct Done {
    std::string name;
    std::uint64_t times = 0;
    std::uint64_t thrown_out = 0;  ///< of these: the bridge ended it before the attack was over
  };

  explicit Attacker(const Victim& victim);
  ~Attacker();
  Attacker(const Attacker&) = delete;
  Attacker& operator=(const Attacker&) = delete;

  void begin();
  /// What it has done. Throws std::runtime_error if it has died.
  std::vector<Done> end();
  /// See cpu.h; while it lives.
  double cpu() const;

 private:
  pid_t pid_ = -1;
  int orders_ = -1;   // to it: a byte to begin, the end of the pipe to stop
  int reports_ = -1;  // from it
};

}  // namespace trestle::bench
