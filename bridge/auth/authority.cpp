#include "bridge/auth/authority.h"

#include "bridge/auth/token_file.h"
#include "bridge/auth/tokens.h"

namespace trestle {
namespace {

IdentityPtr anonymous_reader() {
  return std::make_shared<const Identity>(Identity{"anonymous", Rights::reader(), std::nullopt});
}

// "May read everything" takes a `$` scope of its own: `>` leaves `$sys` out.
IdentityPtr static_reader() {
  auto rights = parse_scopes({"read", "read:$sys.>", "see"});
  return std::make_shared<const Identity>(Identity{"static", std::move(*rights), std::nullopt});
}

}  // namespace

Authority::Authority(AuthSettings settings)
    : settings_(std::move(settings)),
      anonymous_(anonymous_reader()),
      table_(std::make_shared<const Table>()) {}

Result<std::unique_ptr<Authority>> Authority::make(const AuthSettings& settings) {
  if (settings.token == "***") {
    return Error{
        "auth.token is \"***\", which stands for a token in printed settings: put the real one in its place"};
  }
  std::unique_ptr<Authority> authority(new Authority(settings));
  if (auto loaded = authority->reload(); !loaded) return loaded.error();
  return authority;
}

Result<std::monostate> Authority::reload() {
  auto table = std::make_shared<Table>();
  if (settings_.enabled) {
    if (!settings_.token.empty()) table->push_back({hash_token(settings_.token), static_reader()});
    // A file that can't even be looked for is not absent: load_token_file() says what is wrong.
    std::error_code unknown;
    if (!settings_.tokens_file.empty() &&
        (std::filesystem::exists(settings_.tokens_file, unknown) || unknown)) {
      auto records = load_token_file(settings_.tokens_file);
      if (!records) return records.error();
      for (auto& record : *records) {
        auto rights = parse_scopes(record.scopes);  // load_token_file() has checked them
        table->push_back({record.sha256_hex, std::make_shared<const Identity>(
                                                 Identity{record.name, std::move(*rights), record.expires})});
      }
    }
  }
  std::atomic_store(&table_, std::shared_ptr<const Table>(std::move(table)));
  return std::monostate{};
}

Result<std::optional<std::string>> Authority::make_first_token(Micros now) {
  std::error_code ignored;
  const bool configured = !settings_.enabled || !settings_.token.empty() || settings_.tokens_file.empty() ||
                          std::filesystem::exists(settings_.tokens_file, ignored);
  if (configured) return std::optional<std::string>();
  auto token = new_token();
  TokenRecord record{
      "first-start", hash_token(token), {"admin", "read", "publish", "command"}, now, std::nullopt};
  if (auto saved = save_token_file(settings_.tokens_file, {std::move(record)}); !saved) {
    return Error{saved.error().message +
                 " (the first start makes a token there; set auth.tokens_file or auth.token)"};
  }
  if (auto loaded = reload(); !loaded) return loaded.error();
  return std::optional<std::string>(std::move(token));
}

Result<IdentityPtr, AuthFailure> Authority::authenticate(std::string_view token, Micros now) const {
  const auto hash = hash_token(token);
  const auto table = std::atomic_load(&table_);
  IdentityPtr found;
  for (const auto& entry : *table) {
    if (equal_secrets(entry.sha256_hex, hash)) found = entry.identity;
  }
  if (!found) return AuthFailure::unknown;
  if (found->expires && *found->expires <= now) return AuthFailure::expired;
  return found;
}

}  // namespace trestle
