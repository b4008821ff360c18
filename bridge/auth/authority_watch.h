#pragma once
#include <vector>

#include "bridge/auth/authority.h"
#include "bridge/store/file_watch.h"

namespace trestle {

/// Has an authority read its files again when they change: tokens, keys of JWTs and revoked JWTs each by
/// itself, so that none of them waits for another. Logs how that went.
///
/// Thread: one, the one that reloads the authority.
class AuthorityWatch {
 public:
  /// Takes the files as they are now: before the authority reads them first, so that no change in between is
  /// missed.
  explicit AuthorityWatch(const AuthSettings& settings);
  /// Call it every FileWatch::kPatience / 2.
  void look(Authority& authority, FileWatch::Time now);
  /// Has all files read, changed or not.
  void reload(Authority& authority);
  /// The same, and says nothing: for files that this process has made itself.
  Result<std::monostate> know(Authority& authority);

 private:
  struct Part {
    AuthPart name;
    FileWatch files;
    bool told_unsettled = false;  // once each time
  };

  static void read_unsettled(Part& part, Authority& authority);

  std::vector<Part> parts_;
};

}  // namespace trestle
