#include "bridge/auth/jwt.h"

#include <doctest/doctest.h>

#include "tests/unit/bridge/auth/jwt_signer.h"

using namespace trestle;
using A = JwtAlgorithm;

namespace {

constexpr std::int64_t kNowSeconds = 1'764'000'000;
constexpr Micros kNow = kNowSeconds * 1'000'000;
constexpr Micros kLeeway = 30'000'000;
const std::string kSecret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::string at(std::int64_t seconds_from_now) { return std::to_string(kNowSeconds + seconds_from_now); }
/// Claims of alice, good for a minute, and what else is given.
std::string claims(const std::string& more = {}) {
  return R"({"sub":"alice","scope":"read","exp":)" + at(60) + more + "}";
}
std::string with(const std::string& whole) { return R"({"exp":)" + at(60) + "," + whole + "}"; }

const JwtSigner& signer_for(A algorithm) {
  static const JwtSigner rsa("RSA"), p256("P-256"), p384("P-384"), p521("P-521"), ed("Ed25519");
  switch (algorithm) {
    case A::es256: return p256;
    case A::es384: return p384;
    case A::es512: return p521;
    case A::eddsa: return ed;
    default: return rsa;
  }
}
JwtKey key_for(A algorithm, const std::string& kid = "k1") {
  if (is_hmac(algorithm)) return JwtKey::from_secret(kid, algorithm, kSecret, false).value();
  return JwtKey::from_pem(kid, algorithm, signer_for(algorithm).public_pem()).value();
}
std::string token_of(A algorithm, const std::string& text = claims(),
                     const std::optional<std::string>& header = {}) {
  if (is_hmac(algorithm)) return JwtSigner::hmac_token(algorithm, kSecret, text, header);
  return signer_for(algorithm).token(algorithm, text, header);
}

/// The name of the token's bearer, or why it is nobody's.
std::string who(const std::string& token, const JwtKeys& keys, const JwtSettings& settings = {},
                Micros now = kNow) {
  const auto identity = verify_jwt(token, keys, settings, now);
  return identity ? (*identity)->name : std::string(reason_of(identity.error()));
}
/// The same for claims that HS256 signs.
std::string judged(const std::string& text, const JwtSettings& settings = {}, Micros now = kNow) {
  return who(token_of(A::hs256, text), JwtKeys({key_for(A::hs256)}), settings, now);
}

const std::string kNotSigned(reason_of(AuthFailure::signature));
const std::string kMalformed(reason_of(AuthFailure::malformed));
const std::string kExpired(reason_of(AuthFailure::expired));

}  // namespace

TEST_CASE("every algorithm: its own key's tokens are good, and nobody else's") {
  std::vector<JwtKey> all;
  for (const auto& [name, algorithm] : kJwtAlgorithms) all.push_back(key_for(algorithm, std::string(name)));
  for (const auto& [name, algorithm] : kJwtAlgorithms) {
    const std::string algorithm_name(name);
    CAPTURE(algorithm_name);
    const auto token = token_of(algorithm);
    CHECK(who(token, JwtKeys({key_for(algorithm)})) == "alice");
    CHECK(who(token, JwtKeys({key_for(algorithm, "k2")})) == kNotSigned);
    for (const auto& [other_name, other] : kJwtAlgorithms) {
      // The same kid with another algorithm, and for RSA even the same key.
      if (other != algorithm) CHECK(who(token, JwtKeys({key_for(other)})) == kNotSigned);
      const auto header =
          R"({"alg":")" + std::string(name) + R"(","kid":")" + std::string(other_name) + "\"}";
      CHECK(who(token_of(algorithm, claims(), header), JwtKeys(all)) ==
            (other == algorithm ? "alice" : kNotSigned));
    }
  }
  const JwtSigner ed448("Ed448");
  const JwtKeys keys({JwtKey::from_pem("k1", A::eddsa, ed448.public_pem()).value()});
  CHECK(who(ed448.token(A::eddsa, claims()), keys) == "alice");
  CHECK(who(token_of(A::eddsa), keys) == kNotSigned);
}

TEST_CASE("`alg: none` is no algorithm, however it is written") {
  const JwtKeys keys({key_for(A::hs256), key_for(A::rs256, "k2"), key_for(A::es256, "")});
  for (const auto* alg : {"none", "None", "NONE", "nOnE", "", " none", "hs256", "HS256 ", "RS256\\u0000",
                          "HS1", "dir", "ES256K", "null"}) {
    for (const auto* kid : {R"(,"kid":"k1")", R"(,"kid":"k2")", ""}) {
      CAPTURE(alg);
      const auto text = base64url_encode(R"({"alg":")" + std::string(alg) + "\"" + kid + "}") + "." +
                        base64url_encode(claims());
      CHECK(who(text + ".", keys) == kNotSigned);
      CHECK(who(text, keys) == kNotSigned);
      CHECK(who(text + "." + base64url_encode(JwtSigner::hmac(A::hs256, kSecret, text)), keys) == kNotSigned);
      CHECK(who(text + "." + base64url_encode(JwtSigner::hmac(A::hs256, "", text)), keys) == kNotSigned);
    }
  }
  for (const auto* header :
       {R"({"kid":"k1"})", R"({"alg":null,"kid":"k1"})", R"({"alg":["HS256"],"kid":"k1"})", "{}", "[]", "",
        "\"HS256\"", R"({"alg":"HS256","kid":"k1"} x)", R"({"alg":"HS256","kid":"k1")"}) {
    CAPTURE(header);
    CHECK(who(token_of(A::hs256, claims(), header), keys) == kNotSigned);
  }
}

TEST_CASE("a public key is no secret: HS256 with the RSA or EC key's own text is refused") {
  for (const auto algorithm : {A::rs256, A::es256, A::eddsa}) {
    const auto pem = signer_for(algorithm).public_pem();
    const JwtKeys keys({key_for(algorithm), key_for(A::hs256, "other")});
    for (const auto& secret : {pem, pem.substr(0, pem.size() - 1), std::string()}) {
      for (const auto hmac : {A::hs256, A::hs384, A::hs512}) {
        CHECK(who(JwtSigner::hmac_token(hmac, secret, claims()), keys) == kNotSigned);
        CHECK(who(JwtSigner::hmac_token(hmac, secret, claims(), R"({"alg":"HS256","kid":"other"})"), keys) ==
              kNotSigned);
      }
    }
    CHECK(JwtKey::from_pem("k1", A::hs256, pem).error().message == "is a public key, not a secret");
  }
}

TEST_CASE("the kid names the key; a token without one is checked with the key without one") {
  const JwtKeys named({key_for(A::hs256)}), nameless({key_for(A::hs256, "")});
  const auto with_kid = [](const std::string& kid) {
    return token_of(A::hs256, claims(), R"({"alg":"HS256")" + kid + "}");
  };
  CHECK(who(with_kid(R"(,"kid":"k1")"), named) == "alice");
  CHECK(who(with_kid(""), nameless) == "alice");
  CHECK(who(with_kid(""), named) == kNotSigned);
  CHECK(who(with_kid(R"(,"kid":"k1")"), nameless) == kNotSigned);
  for (const auto& kid : {std::string("k2"), std::string("K1"), std::string("k1 "), std::string("k1\\u0000"),
                          std::string("../k1"), std::string(700, 'k'), std::string(5'000, 'k')}) {
    CHECK(who(with_kid(R"(,"kid":")" + kid + "\""), named) == kNotSigned);
    CHECK(who(with_kid(R"(,"kid":")" + kid + "\""), nameless) == kNotSigned);
  }
  for (const auto* kid : {R"(,"kid":"")", R"(,"kid":null)", R"(,"kid":1)", R"(,"kid":["k1"])"}) {
    CAPTURE(kid);
    CHECK(who(with_kid(kid), named) == kNotSigned);
    CHECK(who(with_kid(kid), nameless) == kNotSigned);
  }
}

TEST_CASE("a header that asks for more than we do is refused, and keys it brings along are not looked at") {
  const JwtKeys keys({key_for(A::rs256)});
  const auto header = [](const std::string& more) { return R"({"alg":"RS256","kid":"k1",)" + more + "}"; };
  CHECK(who(token_of(A::rs256, claims(), header(R"("crit":["b64"],"b64":false)")), keys) == kNotSigned);
  CHECK(who(token_of(A::rs256, claims(), header(R"("crit":[])")), keys) == kNotSigned);
  CHECK(who(token_of(A::rs256, claims(), header(R"("jku":"https://evil","x":{"a":1})")), keys) == "alice");
  const JwtSigner evil("RSA");
  const auto jwk = R"("jwk":{"kty":"RSA","n":")" + base64url_encode(evil.number("n")) + R"(","e":"AQAB"})";
  CHECK(who(evil.token(A::rs256, claims(), header(jwk)), keys) == kNotSigned);
}

TEST_CASE("what other parsers may read differently is refused: twice, deep, not UTF-8, behind the end") {
  const JwtKeys keys({key_for(A::hs256)});
  for (const auto* header :
       {R"({"alg":"HS256","alg":"HS256","kid":"k1"})", R"({"alg":"none","alg":"HS256","kid":"k1"})",
        R"({"alg":"HS256","kid":"k1","kid":"k1"})", R"({"alg":"HS256","kid":"k1","\u0061lg":"none"})",
        R"({"alg":"HS256","kid":"k1","x":{"y":1,"y":2}})",
        "{\"alg\":\"HS256\",\"kid\":\"k1\",\"x\":\"\xff\"}",
        R"({"alg":"HS256","kid":"k1","x":[[[[[[[[1]]]]]]]]})"}) {
    CAPTURE(header);
    CHECK(who(token_of(A::hs256, claims(), header), keys) == kNotSigned);
  }
  CHECK(judged(claims(R"(,"sub":"root")")) == kMalformed);
  CHECK(judged(claims(R"(,"s\u0075b":"root")")) == kMalformed);
  CHECK(judged(claims(R"(,"x":{"a":1,"a":1})")) == kMalformed);
  CHECK(judged(claims(R"(,"x":[[[[[[[]]]]]]])")) == "alice");
  CHECK(judged(claims(R"(,"x":[[[[[[[[]]]]]]]])")) == kMalformed);
  CHECK(judged(claims(",\"x\":" + std::string(2'000, '[') + std::string(2'000, ']'))) == kMalformed);
  CHECK(judged(claims(",\"x\":\"\xc3\x28\"")) == kMalformed);
  CHECK(judged(claims(R"(,"x":"\ud800")")) == kMalformed);
  for (const auto& text : {claims() + " x", claims() + "{}", std::string("[]"), std::string("null"),
                           std::string(), std::string("{"), claims() + std::string(1, '\0')}) {
    CHECK(judged(text) == kMalformed);
  }
}

TEST_CASE("a token over 8 KiB is refused, one below is not") {
  const auto padded = [](std::size_t size) { return claims(R"(,"x":")" + std::string(size, 'x') + "\""); };
  CHECK(judged(padded(5'500)) == "alice");
  REQUIRE(token_of(A::hs256, padded(6'100)).size() > kMaxJwt);
  CHECK(judged(padded(6'100)) == kNotSigned);
  CHECK(judged(padded(1'000'000)) == kNotSigned);
}

TEST_CASE("a valid token cut anywhere is refused") {
  for (const auto algorithm : {A::hs256, A::rs256, A::ps256, A::es256, A::eddsa}) {
    const JwtKeys keys({key_for(algorithm)});
    const auto token = token_of(algorithm);
    REQUIRE(who(token, keys) == "alice");
    for (std::size_t size = 0; size < token.size(); ++size) {
      CAPTURE(size);
      CHECK(who(token.substr(0, size), keys) == kNotSigned);
      CHECK(who(token.substr(token.size() - size), keys) == kNotSigned);
    }
    for (const auto* tail : {".", "x", "=", " ", "\n", ".x", "A"})
      CHECK(who(token + tail, keys) == kNotSigned);
    CHECK(who("." + token, keys) == kNotSigned);
  }
}

TEST_CASE("a valid token with any bit changed is refused, unused bits of base64url too") {
  for (const auto algorithm : {A::hs256, A::hs512, A::rs256, A::ps384, A::es256, A::es512, A::eddsa}) {
    CAPTURE(name_of(algorithm));
    const JwtKeys keys({key_for(algorithm)});
    const auto token = token_of(algorithm);
    REQUIRE(who(token, keys) == "alice");
    std::size_t let_through = 0;
    for (std::size_t i = 0; i < token.size(); ++i) {
      for (unsigned bit = 1; bit < 256; bit <<= 1) {
        auto changed = token;
        changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ bit);
        if (who(changed, keys) != kNotSigned) ++let_through;
      }
    }
    CHECK(let_through == 0);
  }
}

TEST_CASE("base64 in any other writing is refused") {
  // Both standard letters and padding stand for the same bytes elsewhere.
  std::string token;
  for (int i = 0; token.find_first_of("-_") == std::string::npos; ++i) {
    token = token_of(A::hs256, claims(",\"i\":" + std::to_string(i)));
  }
  const JwtKeys keys({key_for(A::hs256)});
  REQUIRE(who(token, keys) == "alice");
  auto standard = token;
  for (auto& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  CHECK(who(standard, keys) == kNotSigned);
  for (const auto* padding : {"=", "==", "\n", "%3D"}) CHECK(who(token + padding, keys) == kNotSigned);
}

TEST_CASE("expiry: needed, in time, with leeway") {
  const JwtSettings strict;
  CHECK(judged(claims()) == "alice");
  CHECK(judged(claims(), strict, kNow + 60'000'000 + kLeeway - 1) == "alice");
  CHECK(judged(claims(), strict, kNow + 60'000'000 + kLeeway) == kExpired);
  CHECK(judged(R"({"sub":"alice"})") == kMalformed);
  JwtSettings lax;
  lax.expiry_required = false;
  CHECK(judged(R"({"sub":"alice"})", lax) == "alice");
  CHECK(judged(R"({"sub":"alice","exp":1})", lax) == kExpired);
  for (const auto* exp :
       {"\"9999999999\"", "null", "true", "-1", "1e300", "99999999999999999999", "[1]", "{}"}) {
    CAPTURE(exp);
    CHECK(judged(std::string(R"({"sub":"alice","exp":)") + exp + "}", lax) == kMalformed);
  }
  const auto identity = verify_jwt(token_of(A::hs256, R"({"sub":"a","exp":)" + at(60) + ".5}"),
                                   JwtKeys({key_for(A::hs256)}), strict, kNow);
  CHECK(*(*identity)->expires == kNow + 60'500'000 + kLeeway);
}

TEST_CASE("not before its time, with leeway") {
  CHECK(judged(claims(",\"nbf\":" + at(30))) == "alice");
  CHECK(judged(claims(",\"nbf\":" + at(31))) == reason_of(AuthFailure::not_yet));
  CHECK(judged(claims(",\"nbf\":\"" + at(-31) + "\"")) == kMalformed);
  CHECK(judged(claims(",\"iat\":\"yesterday\"")) == kMalformed);
}

TEST_CASE("not issued in the future, with leeway; what is here has been issued") {
  const std::string not_yet(reason_of(AuthFailure::not_yet));
  CHECK(judged(claims(",\"iat\":" + at(30))) == "alice");
  CHECK(judged(claims(",\"iat\":" + at(31))) == not_yet);
  CHECK(judged(claims(",\"iat\":" + at(1000))) == not_yet);
  CHECK(judged(claims(",\"iat\":" + at(31)), {}, kNow + 1'000'000) == "alice");
  JwtSettings exact;
  exact.leeway = {};
  CHECK(judged(claims(",\"iat\":" + at(0)), exact) == "alice");
  CHECK(judged(claims(",\"iat\":" + at(1)), exact) == not_yet);
}

TEST_CASE("issuer and audience are those of the configuration") {
  JwtSettings settings;
  settings.issuer = "https://issuer";
  settings.audience = {"trestle", "events"};
  const std::string issued = R"("iss":"https://issuer","sub":"alice")";
  CHECK(judged(with(issued + R"(,"aud":"trestle")"), settings) == "alice");
  CHECK(judged(with(issued + R"(,"aud":["x","events"])"), settings) == "alice");
  const std::string others(reason_of(AuthFailure::audience));
  for (const auto* aud : {R"(,"aud":"Trestle")", R"(,"aud":["x"])", R"(,"aud":[])", R"(,"aud":"")", ""}) {
    CHECK(judged(with(issued + aud), settings) == others);
  }
  for (const auto* aud :
       {R"(,"aud":1)", R"(,"aud":["trestle",1])", R"(,"aud":{"trestle":1})", R"(,"aud":null)"}) {
    CHECK(judged(with(issued + aud), settings) == kMalformed);
  }
  CHECK(judged(with(R"("sub":"alice","aud":"trestle")"), settings) == reason_of(AuthFailure::issuer));
  CHECK(judged(with(R"("iss":"https://issuer/","aud":"trestle")"), settings) ==
        reason_of(AuthFailure::issuer));
  CHECK(judged(with(R"("iss":1,"aud":"trestle")"), settings) == kMalformed);
  // Meant for somebody, and we have no name: not for us.
  CHECK(judged(with(R"("sub":"alice","aud":"somebody")")) == others);
}

TEST_CASE("scopes come from `scope` and `scopes`, or from the configuration") {
  JwtSettings settings;
  settings.scopes = {"read:task.{sub}.>"};
  const auto rights = [&](const std::string& more) {
    const auto identity = verify_jwt(token_of(A::hs256, with(R"("sub":"al.ice")" + more)),
                                     JwtKeys({key_for(A::hs256)}), settings, kNow);
    if (!identity) return std::string(reason_of(identity.error()));
    std::string text = (*identity)->rights.admin ? "admin" : "";
    for (const auto& pattern : (*identity)->rights.read) text += " " + pattern.text();
    return text;
  };
  CHECK(rights("") == " task.al%2Eice.>");
  CHECK(rights(R"(,"scope":"")") == "");
  CHECK(rights(R"(,"scope":"read:a  openid read:b.{sub}")") == " a b.al%2Eice");
  CHECK(rights(R"(,"scopes":["read:a","admin"])") == "admin a");
  CHECK(rights(R"(,"scope":"read:a","scopes":["read:b"])") == " a b");
  for (const auto* bad :
       {R"(,"scope":["read"])", R"(,"scope":1)", R"(,"scopes":"read")", R"(,"scopes":[1])"}) {
    CHECK(rights(bad) == kMalformed);
  }
  std::string many = R"(,"scope":")";
  for (int i = 0; i < 257; ++i) many += "read:a ";
  CHECK(rights(many + "\"") == kMalformed);
}

TEST_CASE("a hostile subject is a name and nothing more") {
  JwtSettings settings;
  settings.scopes = {"read:task.{sub}.>"};
  const JwtKeys keys({key_for(A::hs256)});
  for (const auto* sub : {"*", ">", "a.b", "..", "$sys", "\\u0000", "%2A", "x\\ny"}) {
    CAPTURE(sub);
    const auto identity =
        verify_jwt(token_of(A::hs256, with(R"("sub":")" + std::string(sub) + "\"")), keys, settings, kNow);
    REQUIRE(identity.has_value());
    const auto& rights = (*identity)->rights;
    CHECK_FALSE(rights.may_read_all(*Pattern::parse("task.>")));
    CHECK_FALSE(rights.may_read("task.a.b"));
    CHECK_FALSE(rights.may_read("task.42.x"));
  }
  for (const auto& text : {with(R"("x":1)"), with(R"("sub":"")")}) {
    const auto identity = verify_jwt(token_of(A::hs256, text), keys, settings, kNow);
    CHECK((*identity)->rights.read.empty());
    CHECK((*identity)->name == "jwt");
  }
  CHECK(judged(with(R"("sub":")" + std::string(kMaxSubject, 's') + "\"")).size() == kMaxSubject);
  CHECK(judged(with(R"("sub":")" + std::string(kMaxSubject + 1, 's') + "\"")) == kMalformed);
  CHECK(judged(with("\"sub\":\"\xff\"")) == kMalformed);
  CHECK(judged(with(R"("sub":42)")) == kMalformed);
}
