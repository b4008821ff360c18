#include "clients/cli/token.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "bridge/auth/revocations.h"
#include "bridge/auth/token_file.h"
#include "bridge/auth/tokens.h"
#include "bridge/core/rights.h"
#include "bridge/store/file_lock.h"
#include "bridge/store/private_file.h"
#include "clients/cli/pretty.h"

namespace trestle::cli {
namespace {

using Records = std::vector<TokenRecord>;

constexpr Micros kSecond = 1'000'000;
constexpr std::size_t kLongestName = 128;
constexpr std::chrono::seconds kLockPatience{10};
constexpr const char* kAtOnce = " sees it within a second, and ends the sessions that used it\n";

template <class T>
T value_of(Result<T> result, Exit code = Exit::usage) {
  if (!result) throw Failure(code, result.error().message);
  return std::move(*result);
}

/// From before a file is read until it has been written: what others change in between is not lost.
FileLock lock(const std::string& file) { return value_of(FileLock::take(file, kLockPatience), Exit::failed); }

/// Whose file it is does not matter here: root writes it for a service, a member of its group lists it.
/// trestled decides whom it believes.
Records load(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) == 0) accept_secrets_of(found.st_uid);
  return value_of(load_token_file(file));
}

void save(const std::string& file, const Records& records) {
  value_of(save_token_file(file, records), Exit::failed);
}

Records::iterator find(Records& records, const std::string& name) {
  return std::find_if(records.begin(), records.end(),
                      [&](const TokenRecord& record) { return record.name == name; });
}

std::string joined(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return harmless(text);
}

std::string state(const TokenRecord& record, Micros now) {
  if (!record.expires) return "never expires";
  return (*record.expires <= now ? "EXPIRED " : "expires ") + format_time(*record.expires);
}

Exit revoke_static(const TokenOptions& options) {
  load(options.file);  // a file that is not there gets no lock beside it
  const auto held = lock(options.file);
  Records records = load(options.file);
  const auto found = find(records, options.name);
  if (found == records.end())
    throw Failure(Exit::usage, options.file + " has no token named \"" + options.name + "\"");
  records.erase(found);
  save(options.file, records);
  std::cerr << "trestle token: revoked; a running trestled" << kAtOnce;
  return Exit::ok;
}

/// Without a time: the end of this second, for that is how exact the tokens are.
Micros moment(const std::string& text, Micros now) {
  if (text.empty()) return (now / kSecond + 1) * kSecond;
  const auto time = parse_time(text);
  if (!time) throw Failure(Exit::usage, "--issued-before must be a time such as 2027-01-01T00:00:00Z");
  return *time;
}

}  // namespace

Exit create_token(const TokenOptions& options, Micros now) {
  if (options.name.empty() || options.name.size() > kLongestName) {
    throw Failure(Exit::usage, "--name needs 1 to " + std::to_string(kLongestName) + " bytes");
  }
  value_of(parse_scopes(options.scopes, options.name));
  const auto held = lock(options.file);
  Records records;
  if (std::filesystem::exists(options.file)) records = load(options.file);
  if (find(records, options.name) != records.end()) {
    throw Failure(Exit::usage, options.file + " has a token named \"" + options.name +
                                   "\" already; choose another name, or revoke that one first");
  }
  const std::string token = new_token();
  TokenRecord record{options.name, hash_token(token), options.scopes, now, std::nullopt};
  if (options.expires_ms) record.expires = now + static_cast<Micros>(*options.expires_ms) * 1'000;
  records.push_back(std::move(record));
  save(options.file, records);
  std::cerr
      << "trestle token: this is the only time it can be seen; a running trestled knows it within a second\n";
  std::cout << token << std::endl;
  return Exit::ok;
}

Exit list_tokens(const TokenOptions& options, Micros now) {
  for (const TokenRecord& record : load(options.file)) {
    std::cout << harmless(record.name) << "  " << joined(record.scopes) << "  created "
              << format_time(record.created) << "  " << state(record, now) << "\n";
  }
  return Exit::ok;
}

Exit revoke_token(const TokenOptions& options, Micros now) {
  if (!options.name.empty()) return revoke_static(options);
  const auto before_when = moment(options.issued_before, now);
  const auto held = lock(options.revoked_file);
  Revocations revoked = value_of(load_revocations(options.revoked_file));
  if (!options.jti.empty()) {
    revoked.ids.insert(options.jti);
  } else {
    auto& before = revoked.issued_before[options.subject];
    before = std::max(before, before_when);
  }
  value_of(save_revocations(options.revoked_file, revoked), Exit::failed);
  std::cerr << "trestle token: revoked; a running trestled with auth.revoked_file: "
            << harmless(options.revoked_file) << kAtOnce;
  return Exit::ok;
}

}  // namespace trestle::cli
