#include "bridge/auth/jwt_keys.h"

#include <doctest/doctest.h>

#include "bridge/auth/jwks.h"
#include "tests/unit/bridge/auth/jwt_signer.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
using A = JwtAlgorithm;

namespace {

std::string jwk(const std::string& members) { return "{" + members + "}"; }
std::string set_of(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }
std::string member(const std::string& name, const std::string& bytes) {
  return ",\"" + name + "\":\"" + base64url_encode(bytes) + "\"";
}
std::string rsa_jwk(const JwtSigner& rsa, const std::string& more) {
  return jwk(R"("kty":"RSA")" + member("n", rsa.number("n")) + member("e", rsa.number("e")) + more);
}
std::string ec_jwk(const JwtSigner& ec, const std::string& curve, std::size_t half, const std::string& more) {
  return jwk(R"("kty":"EC","crv":")" + curve + "\"" + member("x", ec.number("qx", half)) +
             member("y", ec.number("qy", half)) + more);
}
/// "kid:ALG kid:ALG", or the complaint.
std::string summary(const std::string& text, bool weak = false) {
  const auto keys = parse_jwks(text, weak);
  if (!keys) return keys.error().message;
  std::string out;
  for (const auto& key : *keys) {
    out += (out.empty() ? "" : " ") + key.kid() + ":" + std::string(name_of(key.algorithm()));
  }
  return out;
}

class KeyFiles {
 public:
  void add(const std::string& kid, A algorithm, const std::string& name, const std::string& content,
           mode_t mode = 0600) {
    settings.keys.push_back(
        {kid, algorithm, scratch.write(name, content), "trestle.yaml:3:5: auth.jwt.keys: "});
    ::chmod(scratch.file(name).c_str(), mode);
  }
  /// "ok", or the complaint with the folder's name left out.
  std::string load() const {
    const auto keys = JwtKeys::load(settings);
    if (keys) return "ok";
    auto text = keys.error().message;
    const auto folder = scratch.path().string() + "/";
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
      text.erase(at, folder.size());
    return text;
  }

  ScratchDirectory scratch;
  JwtSettings settings;
};

const std::string kSecret = "0123456789abcdef0123456789abcdef";
const std::string kAt = "trestle.yaml:3:5: auth.jwt.keys: ";

}  // namespace

TEST_CASE("a JWKS's keys verify what their private halves signed") {
  const JwtSigner rsa("RSA"), p256("P-256"), p384("P-384"), p521("P-521"), ed25519("Ed25519"), ed448("Ed448");
  const std::string secret = "\x7f\xff" + kSecret;
  const auto okp = [](const JwtSigner& key, const std::string& curve) {
    return jwk(R"("kty":"OKP","crv":")" + curve + R"(","kid":")" + curve + "\"" +
               member("x", key.raw_public()));
  };
  const auto text =
      set_of(rsa_jwk(rsa, R"(,"kid":"r","use":"sig")") + "," +
             rsa_jwk(rsa, R"(,"kid":"p","alg":"PS512","key_ops":["verify"])") + "," +
             ec_jwk(p256, "P-256", 32, R"(,"kid":"e2")") + "," + ec_jwk(p384, "P-384", 48, R"(,"kid":"e3")") +
             "," + ec_jwk(p521, "P-521", 66, R"(,"kid":"e5")") + "," + okp(ed25519, "Ed25519") + "," +
             okp(ed448, "Ed448") + "," + jwk(R"("kty":"oct","kid":"s")" + member("k", secret)));
  REQUIRE(summary(text) == "r:RS256 p:PS512 e2:ES256 e3:ES384 e5:ES512 Ed25519:EdDSA Ed448:EdDSA s:HS256");
  const auto keys = parse_jwks(text, false).value();
  const JwtSigner* signers[] = {&rsa, &rsa, &p256, &p384, &p521, &ed25519, &ed448};
  for (std::size_t i = 0; i < 7; ++i) {
    CAPTURE(keys[i].kid());
    CHECK(keys[i].verifies("text", signers[i]->sign(keys[i].algorithm(), "text")));
    CHECK_FALSE(keys[i].verifies("texT", signers[i]->sign(keys[i].algorithm(), "text")));
    CHECK_FALSE(keys[i].verifies("text", ""));
    CHECK_FALSE(keys[i].verifies("text", std::string(4'096, 'x')));
  }
  CHECK(keys[7].verifies("text", JwtSigner::hmac(A::hs256, secret, "text")));
}

TEST_CASE("keys that are for something else are passed over") {
  const JwtSigner rsa("RSA"), ec("P-256");
  CHECK(summary(set_of(
            rsa_jwk(rsa, R"(,"kid":"a","use":"enc")") + "," + rsa_jwk(rsa, R"(,"kid":"b","alg":"RSA-OAEP")") +
            "," + rsa_jwk(rsa, R"(,"kid":"c","key_ops":["encrypt"])") + "," +
            ec_jwk(ec, "secp256k1", 32, "") + "," + jwk(R"("kty":"OKP","crv":"X25519","x":"AAAA")") + "," +
            jwk(R"("kty":"new")") + "," + rsa_jwk(rsa, R"(,"kid":"good","x5t":"x","extra":[1])"))) ==
        "good:RS256");
  CHECK(summary(set_of("")) == "");
}

TEST_CASE("a JWKS that is damaged or holds private keys is refused, and the key is named") {
  const JwtSigner rsa("RSA"), small("RSA-1024"), p256("P-256"), p384("P-384");
  CHECK(summary("") == "is not one JSON object, or has a member twice");
  CHECK(summary("[]") == "is not one JSON object, or has a member twice");
  CHECK(summary(R"({"keys":[],"keys":[]})") == "is not one JSON object, or has a member twice");
  CHECK(summary("{}") == "has no list \"keys\", so it is no JWKS");
  CHECK(summary(set_of("1")) == "key 1 is no object");
  CHECK(summary(set_of("{}")) == "key 1 has no kty");
  CHECK(summary(set_of(rsa_jwk(rsa, R"(,"kid":"a","d":"AQAB")"))) ==
        "key 1 (kid a) is a private key: only its public part belongs here");
  CHECK(summary(set_of(rsa_jwk(small, ""))) ==
        "key 1 has 1024 bits; RSA keys need 2048 to 8192: make a new one");
  CHECK(summary(set_of(jwk(R"("kty":"RSA","n":"AQ==","e":"AQAB")"))) ==
        "key 1 n is not base64url without padding");
  CHECK(summary(set_of(jwk(R"("kty":"RSA","e":"AQAB")"))) == "key 1 has no n");
  CHECK(summary(set_of(ec_jwk(p256, "P-384", 48, ""))).find("key 1 is damaged") == 0);
  CHECK(summary(set_of(ec_jwk(p384, "P-384", 48, R"(,"alg":"ES256")"))) ==
        "key 1 is no key on the curve P-256");
  CHECK(summary(set_of(rsa_jwk(rsa, R"(,"alg":"ES256")"))) == "key 1 is no key on the curve P-256");
  CHECK(summary(set_of(rsa_jwk(rsa, R"(,"alg":"EdDSA")"))) == "key 1 is no Ed25519 or Ed448 key");
  CHECK(summary(set_of(rsa_jwk(rsa, R"(,"alg":"HS256")"))) == "key 1 is a public key, not a secret");
  CHECK(summary(set_of(jwk(R"("kty":"OKP","crv":"Ed25519","x":"AAAA")"))) ==
        "key 1 x is not the size of an Ed25519 key");
  CHECK(summary(set_of(jwk(R"("kty":"oct","kid":"\n","k":"AAAA")")))
            .find("key 1 holds a secret of 3 bytes; HS256 needs at least 32") == 0);
  CHECK(summary(set_of(jwk(R"("kty":"oct","alg":"RS256","k":"AAAA")"))) ==
        "key 1 is a secret, which RS256 has no use for");
  CHECK(summary(set_of(jwk(R"("kty":"oct","k":"AAAA")")), true) == ":HS256");
  auto off_curve = p256.number("qy", 32);
  off_curve[0] = static_cast<char>(off_curve[0] ^ 1);
  CHECK(summary(set_of(jwk(R"("kty":"EC","crv":"P-256")" + member("x", p256.number("qx", 32)) +
                           member("y", off_curve))))
            .find("key 1 is damaged") == 0);
}

TEST_CASE("key files: PEM for public keys, a secret that is long enough and private") {
  const JwtSigner rsa("RSA"), ec("P-256"), small("RSA-1024");
  KeyFiles files;
  SUBCASE("all well") {
    files.add("a", A::rs256, "a.pem", rsa.public_pem(), 0644);
    files.add("b", A::es256, "b.pem", ec.public_pem(), 0644);
    files.add("", A::hs256, "c", kSecret + "\n", 0640);
    CHECK(files.load() == "ok");
  }
  SUBCASE("a private key") {
    files.add("a", A::rs256, "a.pem", rsa.private_pem());
    CHECK(files.load() ==
          kAt +
              "a.pem holds a private key, which only the issuer should have: openssl pkey -in FILE -pubout");
  }
  SUBCASE("no key at all") {
    files.add("a", A::rs256, "a.pem", "hello");
    CHECK(files.load() == kAt + "a.pem holds no PEM public key (-----BEGIN PUBLIC KEY-----) or certificate");
  }
  SUBCASE("too small, and of another kind") {
    files.add("a", A::rs256, "a.pem", small.public_pem());
    CHECK(files.load() == kAt + "a.pem has 1024 bits; RSA keys need 2048 to 8192: make a new one");
    files.settings.keys.clear();
    files.add("a", A::es384, "a.pem", ec.public_pem());
    CHECK(files.load() == kAt + "a.pem is no key on the curve P-384");
  }
  SUBCASE("missing") {
    files.settings.keys.push_back({"a", A::rs256, files.scratch.file("none.pem"), kAt});
    CHECK(files.load() == kAt + "cannot read none.pem: No such file or directory");
  }
  SUBCASE("a secret that everybody can read") {
    files.add("a", A::hs256, "a", kSecret, 0644);
    CHECK(files.load() ==
          kAt +
              "a is a secret that others can read (mode 0644): chmod 600 a, or 640 with a group "
              "that only its reader is in; or say auth.jwt.insecure: true if it is meant");
    files.settings.insecure = true;
    CHECK(files.load() == "ok");
  }
  SUBCASE("a public key that everybody can change") {
    files.add("a", A::rs256, "a.pem", JwtSigner("RSA").public_pem(), 0646);
    CHECK(files.load().find(kAt + "a.pem says who is let in, and everybody on this machine can change it") ==
          0);
    ::chmod(files.scratch.file("a.pem").c_str(), 0644);
    CHECK(files.load() == "ok");
  }
  SUBCASE("a secret that is too short: its line end is not part of it") {
    files.add("a", A::hs256, "a", kSecret.substr(1) + "\n");
    CHECK(files.load() ==
          kAt +
              "a holds a secret of 31 bytes; HS256 needs at least 32: openssl rand -hex 32, or say "
              "auth.jwt.insecure: true if it is meant");
    files.settings.insecure = true;
    CHECK(files.load() == "ok");
    files.add("b", A::hs512, "empty", "\n");
    CHECK(files.load().find(kAt + "empty holds a secret of 0 bytes") == 0);
  }
  SUBCASE("HS512 needs 64") {
    files.add("a", A::hs512, "a", std::string(63, 'x'));
    CHECK(files.load().find("HS512 needs at least 64") != std::string::npos);
  }
}

TEST_CASE("a key that others know is no secret, whatever else is allowed") {
  const JwtSigner rsa("RSA"), ec("P-256");
  const auto load = [](const std::string& content) {
    KeyFiles files;
    files.add("a", A::hs256, "a", content);
    files.settings.insecure = true;
    return files.load();
  };
  const std::string remedy =
      "; use the algorithm that belongs to the key (such as RS256), or make a secret: openssl rand -hex 32";
  const auto pem = "a holds PEM, a key or certificate that others may know, and no secret" + remedy;
  CHECK(load(rsa.public_pem()) == kAt + pem);
  CHECK(load("\n# issuer\n" + ec.public_pem()) == kAt + pem);
  CHECK(load(rsa.private_pem()) == kAt + pem);
  CHECK(load("-----BEGIN CERTIFICATE-----\n") == kAt + pem);
  const auto jwk_fault =
      kAt + "a holds a JWK or JWKS, and no secret: auth.jwt.jwks_file reads those" + remedy;
  CHECK(load(rsa_jwk(rsa, "")) == jwk_fault);
  CHECK(load(" \n" + set_of(rsa_jwk(rsa, ""))) == jwk_fault);
  CHECK(load(R"({"keys" : [)") == jwk_fault);
  std::string der;
  const auto text = rsa.public_pem();
  const auto body = text.substr(27, text.find("-----END") - 27);
  for (const char c : body)
    der += c == '+' ? "-" : c == '/' ? "_" : c == '\n' || c == '=' ? "" : std::string(1, c);
  der = base64url_decode(der).value();
  const auto der_fault =
      kAt + "a holds DER, a key or certificate that others may know, and no secret" + remedy;
  CHECK(load(der) == der_fault);
  CHECK(load(der + "\n") == der_fault);
  CHECK(load(der.substr(1)) == "ok");  // any other bytes may be one
  CHECK(load(der + "x") == "ok");

  const auto body_fault = kAt +
                          "a holds PEM without its first and last line, a key or certificate that others may "
                          "know, and no secret" +
                          remedy;
  CHECK(load(body) == body_fault);
  CHECK(load(base64url_encode(der)) == body_fault);
  CHECK(load(base64url_encode(der.substr(1))) == "ok");
  const auto ssh_fault = kAt + "a holds a key of SSH that others may know, and no secret" + remedy;
  const std::string ssh = "AAAAC3NzaC1lZDI1NTE5AAAAIDGUqGFJfcaEApF8YhFAVt7TFqDlpvEpCXVEAmrAo0ZB";
  CHECK(load("ssh-ed25519 " + ssh + " me@here\n") == ssh_fault);
  CHECK(load("restrict,from=\"10.0.0.1\" ssh-ed25519 " + ssh) == ssh_fault);
  CHECK(load(ssh) == ssh_fault);
  CHECK(load(std::string(64, 'A')) == "ok");
  CHECK(load("{kty, keys: 0123456789abcdef}") == "ok");

  CHECK(summary(set_of(jwk(R"("kty":"oct","kid":"s")" + member("k", text))), true) ==
        "key 1 (kid s) " + pem.substr(2));
}

TEST_CASE("a JWKS file stands beside the keys; no two have one kid") {
  const JwtSigner rsa("RSA");
  KeyFiles files;
  files.add("a", A::rs256, "a.pem", rsa.public_pem());
  files.settings.jwks_place = "trestle.yaml:9:5: auth.jwt.jwks_file: ";
  const auto jwks = [&](const std::string& text, mode_t mode = 0644) {
    files.settings.jwks_file = files.scratch.write("keys.json", text);
    ::chmod(files.settings.jwks_file.c_str(), mode);
    return files.load();
  };
  const auto at = files.settings.jwks_place + "keys.json: ";
  CHECK(jwks(set_of(rsa_jwk(rsa, R"(,"kid":"b")"))) == "ok");
  CHECK(jwks(set_of(rsa_jwk(rsa, R"(,"kid":"a")"))) ==
        at + "two keys have the kid \"a\": each needs its own");
  CHECK(jwks(set_of(rsa_jwk(rsa, "") + "," + rsa_jwk(rsa, ""))) ==
        at + "two keys without a kid have one algorithm: each needs a kid");
  CHECK(jwks(set_of("")) == at + "holds no key for signatures that Trestle knows");
  const auto secret = set_of(jwk(R"("kty":"oct","kid":"s")" + member("k", kSecret)));
  const auto file = files.settings.jwks_place + "keys.json ";
  CHECK(jwks(secret).find(file + "is a secret that others can read (mode 0644)") == 0);
  CHECK(jwks(set_of(rsa_jwk(rsa, R"(,"kid":"b")")), 0666).find(file + "says who is let in") == 0);
  CHECK(jwks(secret, 0600) == "ok");
}

TEST_CASE("files are read again each by itself: one with a fault keeps its keys, the others count") {
  const JwtSigner one("P-256"), two("P-256"), three("P-256");
  KeyFiles files;
  files.add("a", A::es256, "a.pem", one.public_pem());
  files.add("b", A::es256, "b.pem", one.public_pem());
  files.settings.jwks_place = "trestle.yaml:9:5: auth.jwt.jwks_file: ";
  const auto set = [](const JwtSigner& key, const std::string& kid) {
    return set_of(ec_jwk(key, "P-256", 32, R"(,"kid":")" + kid + "\""));
  };
  files.settings.jwks_file = files.scratch.write("keys.json", set(one, "c"));
  const auto first = JwtKeys::load(files.settings).value();
  const auto is = [](const JwtKeys& keys, const std::string& kid, const JwtSigner& signer) {
    return keys.find(kid, A::es256)->verifies("text", signer.sign(A::es256, "text"));
  };
  std::string faults = "old";

  files.scratch.write("a.pem", "broken");
  files.scratch.write("b.pem", two.public_pem());
  files.scratch.write("keys.json", set(two, "c"));
  const auto second = first.reload(files.settings, faults);
  CHECK(faults == kAt + files.scratch.file("a.pem").string() +
                      " holds no PEM public key (-----BEGIN PUBLIC KEY-----) or certificate");
  CHECK((is(second, "a", one) && is(second, "b", two) && is(second, "c", two)));

  files.scratch.write("a.pem", three.public_pem());
  std::filesystem::remove(files.scratch.file("b.pem"));
  files.scratch.write("keys.json", set(three, "a"));  // the kid of another file's key
  const auto third = second.reload(files.settings, faults);
  CHECK(faults == kAt + "cannot read " + files.scratch.file("b.pem").string() +
                      ": No such file or directory; " + files.settings.jwks_place +
                      files.settings.jwks_file.string() +
                      ": two keys have the kid \"a\": each needs its own");
  CHECK((is(third, "a", three) && is(third, "b", two) && is(third, "c", two)));

  files.scratch.write("b.pem", three.public_pem());
  files.scratch.write("keys.json", set(three, "d"));
  const auto last = third.reload(files.settings, faults);
  CHECK(faults.empty());
  CHECK((is(last, "a", three) && is(last, "b", three) && is(last, "d", three)));
  CHECK(last.find("c", A::es256) == nullptr);
}

TEST_CASE("a key is known again by its fingerprint") {
  const JwtSigner rsa("RSA"), other("RSA");
  const auto key = JwtKey::from_pem("a", A::rs256, rsa.public_pem()).value();
  const JwtKeys keys({key});
  CHECK(keys.has(JwtKey::from_pem("a", A::rs256, rsa.public_pem()).value().fingerprint()));
  CHECK_FALSE(keys.has(JwtKey::from_pem("a", A::rs256, other.public_pem()).value().fingerprint()));
  CHECK_FALSE(keys.has(JwtKey::from_pem("b", A::rs256, rsa.public_pem()).value().fingerprint()));
  CHECK_FALSE(keys.has(JwtKey::from_pem("a", A::ps256, rsa.public_pem()).value().fingerprint()));
}
