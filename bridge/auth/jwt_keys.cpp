#include "bridge/auth/jwt_keys.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "bridge/auth/jwks.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

/// What is wrong with the file's mode, for a file that holds a secret.
std::optional<std::string> fault_of_mode(const std::filesystem::path& file, bool insecure) {
  struct stat info {};
  if (insecure || ::stat(file.c_str(), &info) != 0 || (info.st_mode & S_IRWXO) == 0) return std::nullopt;
  return "is a secret, and everybody on this machine may open it: chmod 640 " + file.string() +
         ", or say auth.jwt.insecure: true if it is meant";
}

/// A text's line end is not part of the secret; a file with other bytes is taken as it is.
std::string secret_of(std::string content) {
  const auto is_text = [](char c) { return (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n'; };
  if (!std::all_of(content.begin(), content.end(), is_text)) return content;
  if (!content.empty() && content.back() == '\n') content.pop_back();
  if (!content.empty() && content.back() == '\r') content.pop_back();
  return content;
}

Result<JwtKey> load_key(const JwtKeySettings& settings, bool insecure) {
  auto content = read_small_file(settings.file);
  if (!content) return Error{settings.place + content.error().message};
  const auto algorithm = *settings.algorithm;
  const auto at = settings.place + settings.file.string() + " ";
  if (!is_hmac(algorithm)) {
    auto key = JwtKey::from_pem(settings.kid, algorithm, *content);
    if (!key) return Error{at + key.error().message};
    return key;
  }
  if (auto fault = fault_of_mode(settings.file, insecure)) return Error{at + *fault};
  auto key = JwtKey::from_secret(settings.kid, algorithm, secret_of(std::move(*content)), insecure);
  if (!key) return Error{at + key.error().message};
  return key;
}

Result<std::vector<JwtKey>> load_jwks(const JwtSettings& settings) {
  const auto content = read_small_file(settings.jwks_file);
  if (!content) return Error{settings.jwks_place + content.error().message};
  const auto at = settings.jwks_place + settings.jwks_file.string() + ": ";
  auto keys = parse_jwks(*content, settings.insecure);
  if (!keys) return Error{at + keys.error().message};
  if (keys->empty()) return Error{at + "holds no key for signatures that Trestle knows"};
  const bool secret =
      std::any_of(keys->begin(), keys->end(), [](const auto& key) { return key.is_secret(); });
  const auto fault = secret ? fault_of_mode(settings.jwks_file, settings.insecure) : std::nullopt;
  if (fault) return Error{at + *fault};
  return keys;
}

bool same_name(const JwtKey& a, const JwtKey& b) {
  return a.kid() == b.kid() && (!a.kid().empty() || a.algorithm() == b.algorithm());
}

}  // namespace

Result<JwtKeys> JwtKeys::load(const JwtSettings& settings) {
  std::vector<JwtKey> keys;
  for (const auto& wanted : settings.keys) {
    auto key = load_key(wanted, settings.insecure);
    if (!key) return key.error();
    keys.push_back(std::move(*key));
  }
  if (settings.jwks_file.empty()) return JwtKeys(std::move(keys));
  auto set = load_jwks(settings);
  if (!set) return set.error();
  for (auto& key : *set) {
    const auto twin = [&](const JwtKey& other) { return same_name(key, other); };
    if (std::any_of(keys.begin(), keys.end(), twin)) {
      return Error{settings.jwks_place + settings.jwks_file.string() + ": " +
                   (key.kid().empty() ? "two keys without a kid have one algorithm: each needs a kid"
                                      : "two keys have the kid \"" + key.kid() + "\": each needs its own")};
    }
    keys.push_back(std::move(key));
  }
  return JwtKeys(std::move(keys));
}

const JwtKey* JwtKeys::find(std::string_view kid, JwtAlgorithm algorithm) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) {
    return key.kid() == kid && key.algorithm() == algorithm;
  });
  return found == keys_.end() ? nullptr : &*found;
}

const JwtKey* JwtKeys::stand_in(JwtAlgorithm algorithm) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key.algorithm() == algorithm; });
  return found == keys_.end() ? nullptr : &*found;
}

bool JwtKeys::has(std::string_view fingerprint) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const auto& key) { return key.fingerprint() == fingerprint; });
}

std::vector<std::filesystem::path> files_of(const JwtSettings& settings) {
  std::vector<std::filesystem::path> files;
  for (const auto& key : settings.keys) files.push_back(key.file);
  if (!settings.jwks_file.empty()) files.push_back(settings.jwks_file);
  return files;
}

}  // namespace trestle
