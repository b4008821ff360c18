#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/auth/jwt_key.h"
#include "bridge/config/settings.h"

namespace trestle {

/// All keys that sign JWTs for this bridge. Immutable; any thread.
class JwtKeys {
 public:
  /// Reads every file that the settings name. No two keys may have one kid. Errors are one line with all
  /// faults: for each the place in the configuration, the file, and what to do. A secret with a
  /// fault_of_secret(), a public key with a fault_of_rules(), and a secret that is too short are refused,
  /// unless the settings say `insecure`.
  static Result<JwtKeys> load(const JwtSettings& settings);
  /// Reads the same files again, each by itself: one with a fault has the keys that it has here, so that it
  /// keeps no key in another from being taken away or added. `faults` is load()'s error, or empty.
  JwtKeys reload(const JwtSettings& settings, std::string& faults) const;

  JwtKeys() = default;
  /// For tests; the kids differ.
  explicit JwtKeys(std::vector<JwtKey> keys) : files_{std::move(keys)} {}

  bool empty() const;
  /// The key with that kid (empty: the one without) and algorithm; null if there is none.
  const JwtKey* find(std::string_view kid, JwtAlgorithm algorithm) const;
  /// Any key of that algorithm, to do the same work on where find() finds none; null if there is none.
  const JwtKey* stand_in(JwtAlgorithm algorithm) const;
  bool has(std::string_view fingerprint) const;

 private:
  using Keys = std::vector<JwtKey>;

  Result<Keys> read_set(const JwtSettings& settings) const;
  void put(Result<Keys> read, const JwtKeys& before, std::string& faults);
  template <class Is>
  const JwtKey* first(Is is) const;

  std::vector<Keys> files_;  // those of each file, in the order of files_of()
};

/// The files that load() reads.
std::vector<std::filesystem::path> files_of(const JwtSettings& settings);

}  // namespace trestle
