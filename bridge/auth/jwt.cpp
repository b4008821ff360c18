#include "bridge/auth/jwt.h"

#include <algorithm>
#include <cmath>

#include "bridge/auth/base64url.h"
#include "bridge/auth/strict_json.h"
#include "proto/pattern.h"

namespace trestle {
namespace {

using rapidjson::Document;
using rapidjson::Value;
using Failure = std::optional<AuthFailure>;

constexpr std::size_t kMaxHeader = 1024;
constexpr double kMicrosPerSecond = 1e6;
constexpr double kLatest = 253402300800.0;  // the year 10000: beyond it nobody means a time

struct Parts {
  std::string_view text;  ///< header and claims with the dot between: what is signed
  std::string_view header, claims, signature;
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{token.substr(0, second), token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1)};
}

struct Header {
  JwtAlgorithm algorithm;
  std::string kid;
};

// A `crit` names what must be understood, and there is nothing of it that we do. Keys that a header brings
// along
// (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
std::optional<Header> read_header(std::string_view encoded) {
  if (encoded.size() > kMaxHeader) return std::nullopt;
  const auto text = base64url_decode(encoded);
  Document document;
  if (!text || !parse_strict_object(*text, document)) return std::nullopt;
  const auto* alg = find_member(document, "alg");
  const auto* kid = find_member(document, "kid");
  if (alg == nullptr || !alg->IsString() || find_member(document, "crit") != nullptr) return std::nullopt;
  if (kid != nullptr && (!kid->IsString() || kid->GetStringLength() == 0)) return std::nullopt;
  const auto algorithm = jwt_algorithm_of(text_of(*alg));
  if (!algorithm) return std::nullopt;
  return Header{*algorithm, kid == nullptr ? "" : std::string(text_of(*kid))};
}

// The key that signed the token, or null. One verification whether or not there is a key of that kid.
const JwtKey* signer_of(const Parts& parts, const JwtKeys& keys) {
  const auto header = read_header(parts.header);
  if (!header) return nullptr;
  const auto* key = keys.find(header->kid, header->algorithm);
  const auto* checked = key != nullptr ? key : keys.stand_in(header->algorithm);
  if (checked == nullptr) return nullptr;
  const auto signature = base64url_decode(parts.signature);
  const bool good = checked->verifies(parts.text, signature.value_or(""));
  return good && signature ? key : nullptr;
}

// False if the claim is there and no time.
bool read_time(const Document& claims, std::string_view name, std::optional<Micros>& out) {
  const auto* value = find_member(claims, name);
  if (value == nullptr) return true;
  if (!value->IsNumber()) return false;
  const double seconds = value->GetDouble();
  if (!std::isfinite(seconds) || seconds < 0 || seconds >= kLatest) return false;
  out = static_cast<Micros>(seconds * kMicrosPerSecond);
  return true;
}

bool read_text(const Document& claims, std::string_view name, std::string& out) {
  const auto* value = find_member(claims, name);
  if (value == nullptr) return true;
  if (!value->IsString()) return false;
  out = text_of(*value);
  return true;
}

Failure judge_times(const Document& claims, const JwtSettings& settings, Micros now, Identity& out) {
  std::optional<Micros> expires, not_before;
  if (!read_time(claims, "exp", expires) || !read_time(claims, "nbf", not_before) ||
      !read_time(claims, "iat", out.origin.issued)) {
    return AuthFailure::malformed;
  }
  const Micros leeway = std::chrono::duration_cast<std::chrono::microseconds>(settings.leeway).count();
  if (!expires && settings.expiry_required) return AuthFailure::malformed;
  if (expires) out.expires = *expires + leeway;
  if (out.expires && *out.expires <= now) return AuthFailure::expired;
  if (not_before && *not_before - leeway > now) return AuthFailure::not_yet;
  // Or it would outlive every revocation until then. And what is here now was issued by now, whatever the
  // issuer's clock says.
  if (out.origin.issued && *out.origin.issued - leeway > now) return AuthFailure::not_yet;
  if (out.origin.issued) out.origin.issued = std::min(*out.origin.issued, now);
  return std::nullopt;
}

// A token that is meant for somebody is not for us unless we are named (RFC 7519 section 4.1.3).
Failure judge_audience(const Document& claims, const JwtSettings& settings) {
  std::vector<std::string> meant;
  const auto* value = find_member(claims, "aud");
  if (value == nullptr) return settings.audience.empty() ? Failure() : AuthFailure::audience;
  if (!append_texts(*value, meant)) return AuthFailure::malformed;
  const bool ours = std::find_first_of(meant.begin(), meant.end(), settings.audience.begin(),
                                       settings.audience.end()) != meant.end();
  return ours ? Failure() : AuthFailure::audience;
}

Failure judge_issuer(const Document& claims, const JwtSettings& settings) {
  if (settings.issuer.empty()) return std::nullopt;
  std::string issuer;
  if (!read_text(claims, "iss", issuer)) return AuthFailure::malformed;
  return issuer == settings.issuer ? Failure() : AuthFailure::issuer;
}

void append_words(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    if (!word.empty()) out.emplace_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
}

Failure read_rights(const Document& claims, const JwtSettings& settings, Identity& out) {
  std::vector<std::string> scopes;
  const auto* words = find_member(claims, "scope");
  const auto* list = find_member(claims, "scopes");
  if (words != nullptr && !words->IsString()) return AuthFailure::malformed;
  if (words != nullptr) append_words(text_of(*words), scopes);
  if (list != nullptr && (!list->IsArray() || !append_texts(*list, scopes))) return AuthFailure::malformed;
  if (words == nullptr && list == nullptr) scopes = settings.scopes;
  if (scopes.size() > kMaxPatterns) return AuthFailure::malformed;
  out.rights = known_scopes(scopes, out.origin.subject);
  return std::nullopt;
}

Failure read_claims(const Document& claims, const JwtSettings& settings, Micros now, Identity& out) {
  if (!read_text(claims, "sub", out.origin.subject) || !read_text(claims, "jti", out.origin.id) ||
      out.origin.subject.size() > kMaxSubject) {
    return AuthFailure::malformed;
  }
  out.name = out.origin.subject.empty() ? "jwt" : out.origin.subject;
  if (auto failure = judge_issuer(claims, settings)) return failure;
  if (auto failure = judge_audience(claims, settings)) return failure;
  if (auto failure = judge_times(claims, settings, now, out)) return failure;
  return read_rights(claims, settings, out);
}

}  // namespace

std::string_view reason_of(AuthFailure failure) {
  switch (failure) {
    case AuthFailure::unknown: return "it is not known";
    case AuthFailure::expired: return "it has expired";
    case AuthFailure::signature: return "no key of ours signed it";
    case AuthFailure::malformed: return "a claim is missing or not what it should be";
    case AuthFailure::not_yet: return "it is not valid yet";
    case AuthFailure::issuer: return "it is of another issuer";
    case AuthFailure::audience: return "it is meant for others";
    case AuthFailure::revoked: return "it is revoked";
  }
  return {};
}

bool looks_like_jwt(std::string_view token) { return split(token).has_value(); }

Result<IdentityPtr, AuthFailure> verify_jwt(std::string_view token, const JwtKeys& keys,
                                            const JwtSettings& settings, Micros now) {
  const auto parts = token.size() > kMaxJwt ? std::nullopt : split(token);
  const auto* signer = parts ? signer_of(*parts, keys) : nullptr;
  if (signer == nullptr) return AuthFailure::signature;
  const auto text = base64url_decode(parts->claims);
  Document claims;
  if (!text || !parse_strict_object(*text, claims)) return AuthFailure::malformed;
  auto identity = std::make_shared<Identity>();
  identity->origin.kind = TokenOrigin::Kind::jwt;
  identity->origin.key = signer->fingerprint();
  if (const auto failure = read_claims(claims, settings, now, *identity)) return *failure;
  return IdentityPtr(std::move(identity));
}

}  // namespace trestle
