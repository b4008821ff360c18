#include "bridge/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge/sanitized.h"

namespace trestle {
namespace {

void forbid_core_dumps() {
#ifndef TRESTLE_IS_SANITIZED  // the leak detector looks into its own process as a debugger does
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // a core_pattern that is a program asks no limit
#endif
}

}  // namespace

void harden_process(bool core_dumps) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!core_dumps) forbid_core_dumps();
}

std::optional<uid_t> id_of(const std::string& user) {
  const auto* entry = user.empty() ? nullptr : ::getpwnam(user.c_str());
  return entry == nullptr ? std::nullopt : std::optional<uid_t>(entry->pw_uid);
}

Result<std::monostate> become(const std::string& user) {
  if (user.empty()) return std::monostate{};
  const auto* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return Error{"there is no \"" + user + "\" on this machine (useradd makes one)"};
  const auto id = entry->pw_uid;
  const auto group = entry->pw_gid;
  if (::geteuid() != 0) {
    if (::geteuid() == id) return std::monostate{};
    return Error{"only root can become \"" + user + "\": start trestled as root, or leave user out"};
  }
  const int dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);  // the kernel forgets it with the user
  const bool done = ::initgroups(user.c_str(), group) == 0 && ::setresgid(group, group, group) == 0 &&
                    ::setresuid(id, id, id) == 0;
  if (!done) return Error{"cannot become \"" + user + "\": " + std::strerror(errno)};
  if (id != 0 && ::setuid(0) == 0) return Error{"could become root again, so something is wrong here"};
  ::prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
  return std::monostate{};
}

}  // namespace trestle
