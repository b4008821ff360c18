// A token from anybody: whatever it is, the answer is a refusal, unless one of our keys signed it. The key of
// kid "h" is public here, so that the fuzzer gets to the claims: an input with a NUL is header, claims, and
// signed on the way.
#include <openssl/hmac.h>

#include <string>

#include "bridge/auth/base64url.h"
#include "bridge/auth/jwks.h"
#include "bridge/auth/jwt.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

constexpr Micros kNow = 1'764'000'000'000'000;
const std::string kSecret(32, 'h');

const JwtKeys& keys() {
  static const JwtKeys all([] {
    const auto jwks = parse_jwks(
        R"({"keys":[{"kty":"EC","crv":"P-256","kid":"e","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
        R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},)"
        R"({"kty":"OKP","crv":"Ed25519","kid":"d","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})",
        false);
    MUST(jwks && jwks->size() == 2);
    auto list = *jwks;
    list.push_back(JwtKey::from_secret("h", JwtAlgorithm::hs256, kSecret, false).value());
    return list;
  }());
  return all;
}

std::string sign(std::string_view header, std::string_view claims) {
  const auto text = base64url_encode(header) + "." + base64url_encode(claims);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + base64url_encode({reinterpret_cast<const char*>(mac), size});
}

void check(const std::string& token, const JwtSettings& settings) {
  const auto identity = verify_jwt(token, keys(), settings, kNow);
  if (!identity) {
    MUST(!reason_of(identity.error()).empty());
    return;
  }
  MUST(token.size() <= kMaxJwt && !(*identity)->name.empty() && (*identity)->name.size() <= kMaxSubject);
  MUST(!(*identity)->expires || *(*identity)->expires > kNow);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  JwtSettings settings;
  settings.audience = {"trestle"};
  JwtSettings lax;
  lax.expiry_required = false;
  lax.scopes = {"read:task.{sub}.>"};
  for (const auto* each : {&settings, &lax}) check(std::string(text), *each);
  const auto nul = text.find('\0');
  if (nul == std::string_view::npos) return 0;
  const auto token = sign(text.substr(0, nul), text.substr(nul + 1));
  for (const auto* each : {&settings, &lax}) check(token, *each);
  return 0;
}
