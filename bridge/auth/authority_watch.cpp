#include "bridge/auth/authority_watch.h"

#include <utility>

#include "bridge/log/log.h"

namespace trestle {
namespace {

std::string_view text_of(AuthPart part) {
  switch (part) {
    case AuthPart::tokens: return "tokens";
    case AuthPart::keys: return "keys of JWTs";
    case AuthPart::revoked: return "revoked JWTs";
  }
  return {};
}

void tell(const Result<std::monostate>& reloaded) {
  if (reloaded) return log::info("tokens read again");
  log::error("tokens stay as they were",
             {{"error", reloaded.error().message}, {"other_files", "read again"}});
}

}  // namespace

AuthorityWatch::AuthorityWatch(const AuthSettings& settings) {
  for (const auto name : kAuthParts) {
    parts_.push_back({name, FileWatch(files_of(settings, name))});
  }
}

void AuthorityWatch::look(Authority& authority, FileWatch::Time now) {
  for (auto& part : parts_) {
    const auto news = part.files.look(now);
    if (news == FileNews::unsettled) read_unsettled(part, authority);
    if (news != FileNews::settled) continue;
    part.told_unsettled = false;
    tell(authority.reload(part.name));
  }
}

void AuthorityWatch::reload(Authority& authority) { tell(know(authority)); }

// Taken before they are read, so that no change in between is missed.
Result<std::monostate> AuthorityWatch::know(Authority& authority) {
  for (auto& part : parts_) part.files.take();
  return authority.reload();
}

// What is read counts, and it is read again.
void AuthorityWatch::read_unsettled(Part& part, Authority& authority) {
  const auto read = authority.reload_unsettled(part.name);
  if (std::exchange(part.told_unsettled, true)) return;
  log::warning("files keep changing, and are read all the same: write another and rename it over the old one",
               {{"files_of", text_of(part.name)}, {"error", read ? "" : read.error().message}});
}

}  // namespace trestle
