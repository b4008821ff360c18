#include "bridge/auth/authority.h"

#include <algorithm>

#include "bridge/auth/jwt.h"
#include "bridge/auth/token_file.h"
#include "bridge/auth/tokens.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

IdentityPtr anonymous_reader() {
  return std::make_shared<const Identity>(Identity{"anonymous", Rights::reader(), std::nullopt, {}});
}

// "May read everything" takes a `$` scope of its own: `>` leaves `$sys` out.
IdentityPtr static_reader() {
  auto rights = parse_scopes({"read", "read:$sys.>", "see"}, "static");
  TokenOrigin origin;
  origin.kind = TokenOrigin::Kind::configured;
  return std::make_shared<const Identity>(
      Identity{"static", std::move(*rights), std::nullopt, std::move(origin)});
}

// load_token_file() has checked the scopes.
IdentityPtr identity_of(const TokenRecord& record) {
  auto rights = parse_scopes(record.scopes, record.name);
  TokenOrigin origin;
  origin.kind = TokenOrigin::Kind::file;
  origin.key = record.sha256_hex;
  return std::make_shared<const Identity>(
      Identity{record.name, std::move(*rights), record.expires, std::move(origin)});
}

// A file that can't even be looked for is not absent: whoever reads it says what is wrong.
bool is_there(const std::filesystem::path& file) {
  std::error_code unknown;
  return !file.empty() && (std::filesystem::exists(file, unknown) || unknown);
}

/// Replaces a part by what was read, or adds to `faults` why it stays.
template <class T>
void take(std::shared_ptr<const T>& part, Result<T> read, std::string& faults) {
  if (read) {
    part = std::make_shared<const T>(std::move(*read));
  } else {
    faults += (faults.empty() ? "" : "; ") + read.error().message;
  }
}

AuthSettings without_token(AuthSettings settings) {
  wipe(settings.token);
  return settings;
}

}  // namespace

Authority::Authority(AuthSettings settings)
    : token_hash_(settings.token.empty() ? "" : hash_token(settings.token)),
      settings_(without_token(std::move(settings))),
      anonymous_(anonymous_reader()),
      table_(std::make_shared<const Table>()) {}

Result<std::unique_ptr<Authority>> Authority::make(const AuthSettings& settings) {
  if (settings.token == "***") {
    return Error{settings.token_place +
                 "\"***\" stands for a token in printed settings: put the real one in its place"};
  }
  std::unique_ptr<Authority> authority(new Authority(settings));
  if (auto loaded = authority->reload(); !loaded) return loaded.error();
  return authority;
}

Result<Authority::Entries> Authority::read_tokens() const {
  Entries entries;
  if (!token_hash_.empty()) entries.push_back({token_hash_, static_reader()});
  if (!is_there(settings_.tokens_file)) return entries;
  const auto records = load_token_file(settings_.tokens_file);
  if (!records) return Error{settings_.tokens_place + records.error().message};
  for (const auto& record : *records) entries.push_back({record.sha256_hex, identity_of(record)});
  return entries;
}

Result<Revocations> Authority::read_revoked() {
  if (settings_.revoked_file.empty()) return Revocations{};
  auto found = find_revocations(settings_.revoked_file);
  if (!found) return Error{settings_.revoked_place + found.error().message};
  if (!*found && revoked_found_) {
    return Error{settings_.revoked_place + settings_.revoked_file.string() +
                 " is gone: what it revoked stays revoked until trestled starts again; put it back (an empty "
                 "file revokes nothing)"};
  }
  revoked_found_ = found->has_value();
  return found->value_or(Revocations{});
}

std::optional<std::string> Authority::warning() const {
  if (!settings_.enabled || settings_.revoked_file.empty() || revoked_found_) return std::nullopt;
  return settings_.revoked_place + "there is no " + settings_.revoked_file.string() +
         ", so no JWT is revoked; `trestle token revoke` makes it, and an empty file is fine";
}

Result<std::monostate> Authority::reload() {
  if (!settings_.enabled) return std::monostate{};
  auto table = std::make_shared<Table>(*std::atomic_load(&table_));
  std::string faults;
  take(table->entries, read_tokens(), faults);
  take(table->keys, JwtKeys::load(settings_.jwt), faults);
  take(table->revoked, read_revoked(), faults);
  std::atomic_store(&table_, std::shared_ptr<const Table>(std::move(table)));
  ++generation_;
  const std::lock_guard<std::mutex> lock(mutex_);
  trouble_ = faults;
  if (!faults.empty()) return Error{std::move(faults)};
  return std::monostate{};
}

AuthStatus Authority::status() const {
  const auto revoked = std::atomic_load(&table_)->revoked;
  const std::lock_guard<std::mutex> lock(mutex_);
  return {settings_.enabled, revoked->ids.size() + revoked->issued_before.size(), trouble_};
}

std::vector<std::filesystem::path> files_of(const AuthSettings& settings) {
  if (!settings.enabled) return {};
  auto files = files_of(settings.jwt);
  if (!settings.tokens_file.empty()) files.push_back(settings.tokens_file);
  if (!settings.revoked_file.empty()) files.push_back(settings.revoked_file);
  return files;
}

Result<std::optional<std::string>> Authority::make_first_token(Micros now) {
  std::error_code ignored;
  const bool configured = !settings_.enabled || !token_hash_.empty() || settings_.tokens_file.empty() ||
                          !files_of(settings_.jwt).empty() ||
                          std::filesystem::exists(settings_.tokens_file, ignored);
  if (configured) return std::optional<std::string>();
  auto token = new_token();
  TokenRecord record{
      "first-start", hash_token(token), {"admin", "read", "publish", "command"}, now, std::nullopt};
  if (auto saved = save_token_file(settings_.tokens_file, {std::move(record)}); !saved) {
    return Error{settings_.tokens_place + saved.error().message +
                 " (the first start makes a token there; set auth.tokens_file or auth.token)"};
  }
  if (auto loaded = reload(); !loaded) return loaded.error();
  return std::optional<std::string>(std::move(token));
}

Result<IdentityPtr, AuthFailure> Authority::authenticate(std::string_view token, Micros now) const {
  if (token.size() > kMaxJwt) return AuthFailure::unknown;
  const auto hash = hash_token(token);
  const auto table = std::atomic_load(&table_);
  IdentityPtr found;
  for (const auto& entry : *table->entries) {
    if (equal_secrets(entry.sha256_hex, hash)) found = entry.identity;
  }
  if (!found && !table->keys->empty() && looks_like_jwt(token)) {
    auto identity = verify_jwt(token, *table->keys, settings_.jwt, now);
    if (identity && table->revoked->hold((*identity)->origin)) return AuthFailure::revoked;
    return identity;
  }
  if (!found) return AuthFailure::unknown;
  if (found->expires && *found->expires <= now) return AuthFailure::expired;
  return found;
}

Result<IdentityPtr, AuthFailure> Authority::renew(const IdentityPtr& held) const {
  using Kind = TokenOrigin::Kind;
  const auto table = std::atomic_load(&table_);
  const auto& origin = held->origin;
  if (origin.kind == Kind::jwt) {
    const bool good = table->keys->has(origin.key) && !table->revoked->hold(origin);
    return good ? Result<IdentityPtr, AuthFailure>(held) : AuthFailure::revoked;
  }
  if (origin.kind != Kind::file) return held;
  const auto entry = std::find_if(table->entries->begin(), table->entries->end(), [&](const Entry& known) {
    return equal_secrets(known.sha256_hex, origin.key);
  });
  if (entry == table->entries->end()) return AuthFailure::revoked;
  return entry->identity;
}

}  // namespace trestle
