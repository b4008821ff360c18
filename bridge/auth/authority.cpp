#include "bridge/auth/authority.h"

#include <algorithm>

#include "bridge/auth/jwt.h"
#include "bridge/auth/token_file.h"
#include "bridge/auth/tokens.h"
#include "bridge/store/links.h"
#include "bridge/store/private_file.h"
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

/// Replaces a part by what was read; else why it stays.
template <class T>
std::string take(std::shared_ptr<const T>& part, Result<T> read) {
  if (!read) return std::move(read.error().message);
  part = std::make_shared<const T>(std::move(*read));
  return {};
}

std::size_t index_of(AuthPart part) { return static_cast<std::size_t>(part); }

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

Result<Authority::Entries> Authority::read_tokens(bool settled) const {
  Entries entries;
  if (!token_hash_.empty()) entries.push_back({token_hash_, static_reader()});
  if (settings_.tokens_file.empty() || (settled && !is_there(settings_.tokens_file))) return entries;
  const auto records = load_token_file(settings_.tokens_file, settled);
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

Result<Revocations> Authority::read_more_revoked(const Revocations& held) {
  auto more = find_revocations(settings_.revoked_file);
  if (!more) return Error{settings_.revoked_place + more.error().message};
  if (!*more) {
    return Error{settings_.revoked_place + settings_.revoked_file.string() +
                 " is gone while it is being changed"};
  }
  revoked_found_ = true;
  (*more)->add(held);
  return std::move(**more);
}

std::optional<std::string> Authority::warning() const {
  if (!settings_.enabled || settings_.revoked_file.empty() || revoked_found_) return std::nullopt;
  return settings_.revoked_place + "there is no " + settings_.revoked_file.string() +
         ", so no JWT is revoked; `trestle token revoke` makes it, and an empty file is fine";
}

Result<std::monostate> Authority::reload() {
  for (const auto part : kAuthParts) static_cast<void>(reload(part));  // its fault is told with the others
  const std::lock_guard<std::mutex> lock(mutex_);
  if (auto faults = trouble(); !faults.empty()) return Error{std::move(faults)};
  return std::monostate{};
}

Result<std::monostate> Authority::reload(AuthPart part) {
  auto fault = read(part, true);
  const std::lock_guard<std::mutex> lock(mutex_);
  faults_[index_of(part)] = fault;
  if (!fault.empty()) return Error{std::move(fault)};
  return std::monostate{};
}

Result<std::monostate> Authority::reload_unsettled(AuthPart part) {
  auto fault = read(part, false);
  if (!fault.empty()) return Error{std::move(fault)};
  const std::lock_guard<std::mutex> lock(mutex_);
  faults_[index_of(part)].clear();
  return std::monostate{};
}

// Why the part, or of keys some file's part of it, stays as it was; empty once it is what was read.
std::string Authority::read(AuthPart part, bool settled) {
  if (!settings_.enabled) return {};
  auto table = std::make_shared<Table>(*std::atomic_load(&table_));
  std::string fault;
  switch (part) {
    case AuthPart::tokens: fault = take(table->entries, read_tokens(settled)); break;
    case AuthPart::keys:
      table->keys = std::make_shared<const JwtKeys>(table->keys->reload(settings_.jwt, fault));
      break;
    case AuthPart::revoked:
      fault = take(table->revoked, settled ? read_revoked() : read_more_revoked(*table->revoked));
      break;
  }
  const bool is_new = fault.empty() || part == AuthPart::keys;  // those of the files without a fault are
  if (!is_new) return fault;
  std::atomic_store(&table_, std::shared_ptr<const Table>(std::move(table)));
  ++generation_;
  return fault;
}

// All faults in one line. The caller holds mutex_.
std::string Authority::trouble() const {
  std::string text;
  for (const auto& fault : faults_) {
    if (!fault.empty()) text += (text.empty() ? "" : "; ") + fault;
  }
  return text;
}

AuthStatus Authority::status() const {
  const auto revoked = std::atomic_load(&table_)->revoked;
  const std::lock_guard<std::mutex> lock(mutex_);
  return {settings_.enabled, revoked->ids.size() + revoked->issued_before.size(), trouble()};
}

std::vector<std::filesystem::path> files_of(const AuthSettings& settings, AuthPart part) {
  if (!settings.enabled) return {};
  if (part == AuthPart::keys) return files_of(settings.jwt);
  const auto& file = part == AuthPart::tokens ? settings.tokens_file : settings.revoked_file;
  return file.empty() ? std::vector<std::filesystem::path>() : std::vector{file};
}

bool Authority::needs_first_token() const {
  std::error_code ignored;
  return settings_.enabled && token_hash_.empty() && !settings_.tokens_file.empty() &&
         files_of(settings_.jwt).empty() && !std::filesystem::exists(settings_.tokens_file, ignored);
}

Error Authority::no_first_token(const std::string& why) const {
  return Error{settings_.tokens_place + why +
               " (the first start makes a token there; set auth.tokens_file or auth.token)"};
}

Result<std::monostate> Authority::check_first_token() const {
  if (!needs_first_token()) return std::monostate{};
  const auto file = behind_links(settings_.tokens_file);
  if (!file) return no_first_token(file.error().message);
  const auto fault = fault_of_folder(*file);
  if (fault) return no_first_token("cannot write " + settings_.tokens_file.string() + ": " + *fault);
  return std::monostate{};
}

Result<std::optional<std::string>> Authority::make_first_token(Micros now) {
  if (!needs_first_token()) return std::optional<std::string>();
  auto token = new_token();
  TokenRecord record{
      "first-start", hash_token(token), {"admin", "read", "publish", "command"}, now, std::nullopt};
  if (auto saved = save_token_file(settings_.tokens_file, {std::move(record)}); !saved) {
    return no_first_token(saved.error().message);
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
