#include "bridge/config/validate.h"

#include <algorithm>

#include "bridge/config/address.h"
#include "bridge/config/places.h"
#include "bridge/config/text.h"

namespace trestle {
namespace {

using MaybeComplaint = std::optional<Complaint>;

constexpr std::size_t kGoodToken = 16;  // characters; shorter ones can be found by trying

MaybeComplaint check_endpoints(const std::vector<EndpointSettings>& endpoints, const std::string& list) {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto& path = endpoints[i].path;
    if (path.empty()) return Complaint{path_item(list, i), "needs a path, such as \"/ws\""};
    const auto first = std::find_if(endpoints.begin(), endpoints.end(),
                                    [&](const EndpointSettings& other) { return other.path == path; });
    if (first != endpoints.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Complaint{path_item(list, i) + ".path",
                       in_quotes(path) + " is already an endpoint: give each its own path"};
    }
  }
  return std::nullopt;
}

bool lets_in_without_token(const ListenSettings& listener, const Draft& draft) {
  const auto& endpoints = listener.endpoints.empty() ? draft.endpoints : listener.endpoints;
  const bool open_endpoint =
      std::any_of(endpoints.begin(), endpoints.end(), [](const EndpointSettings& e) { return !e.auth; });
  return !draft.settings.auth.enabled || !listener.auth || open_endpoint;
}

MaybeComplaint check_listener(const ListenSettings& listener, const Draft& draft, const std::string& path) {
  const auto& tls = draft.settings.tls;
  if (listener.tls && (tls.certificate.empty() || tls.key.empty())) {
    return Complaint{path + ".tls", "needs tls.certificate and tls.key, both PEM files"};
  }
  if (!is_loopback(listener.address) && !listener.insecure && lets_in_without_token(listener, draft)) {
    return Complaint{
        path + ".address",
        in_quotes(listener.address) +
            " can be reached from other machines and authentication is off there: turn it on, listen on "
            "localhost, or say insecure: true on this listener if it is meant"};
  }
  if (listener.proxy_protocol && listener.trusted_proxies.empty()) {
    return Complaint{path + ".proxy_protocol",
                     "needs trusted_proxies, the addresses that may say whom a connection is from, such as "
                     "[\"10.0.0.5\"]"};
  }
  return check_endpoints(listener.endpoints, path + ".endpoints");
}

MaybeComplaint check_listen(const Draft& draft) {
  const auto& listen = draft.settings.listen;
  for (std::size_t i = 0; i < listen.size(); ++i) {
    const auto path = path_item("listen", i);
    if (auto complaint = check_listener(listen[i], draft, path)) return complaint;
  }
  return std::nullopt;
}

MaybeComplaint check_tls(const TlsSettings& tls) {
  if (!tls.certificate.empty() && tls.key.empty())
    return Complaint{"tls", "has a certificate but no key: set tls.key"};
  if (tls.certificate.empty() && !tls.key.empty()) {
    return Complaint{"tls", "has a key but no certificate: set tls.certificate"};
  }
  if (tls.certificate.empty() && !tls.client_ca.empty()) {
    return Complaint{"tls.client_ca", "is of no use without tls.certificate and tls.key"};
  }
  return std::nullopt;
}

MaybeComplaint check_jwt(const JwtSettings& jwt) {
  for (std::size_t i = 0; i < jwt.keys.size(); ++i) {
    const auto& key = jwt.keys[i];
    const auto path = path_item("auth.jwt.keys", i);
    if (key.file.empty()) {
      return Complaint{path, "needs a file: a PEM public key, or for HS256 to HS512 the secret"};
    }
    if (!key.algorithm)
      return Complaint{path, "needs an algorithm, such as RS256: the one its tokens are signed with"};
    const auto same = [&](const JwtKeySettings& other) {
      return other.kid == key.kid && (!key.kid.empty() || other.algorithm == key.algorithm);
    };
    if (std::find_if(jwt.keys.begin(), jwt.keys.end(), same) <
        jwt.keys.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Complaint{path, key.kid.empty()
                                 ? "is the second key without a kid for one algorithm: give each a kid"
                                 : in_quotes(key.kid) + " is the kid of another key: give each its own"};
    }
  }
  return std::nullopt;
}

MaybeComplaint check_auth(const AuthSettings& auth) {
  if (auth.enabled && auth.accept.empty()) {
    return Complaint{"auth.accept",
                     "is empty, so that nobody could show a token: name at least one of query, header, "
                     "subprotocol, message, or say auth.enabled: false"};
  }
  return check_jwt(auth.jwt);
}

MaybeComplaint check_zmq(const std::string& address, const std::string& path) {
  const auto danger = danger_of_zmq_address(address);
  if (!danger) return std::nullopt;
  return Complaint{path, in_quotes(address) + " " + *danger +
                             ", turn on CURVE with ingest.curve (trestle keygen makes the keys), or say "
                             "ingest.insecure: true if all of them are trusted"};
}

MaybeComplaint check_curve(const IngestSettings& ingest) {
  const auto& curve = ingest.curve;
  if (!curve.enabled()) {
    if (!curve.producers_file.empty() || !curve.server_keys.empty()) {
      return Complaint{"ingest.curve", "needs a secret_key_file: make one with `trestle keygen FILE`"};
    }
    return std::nullopt;
  }
  const bool listens = !ingest.bind.empty() || !ingest.control.empty();
  if (listens && curve.producers_file.empty()) {
    return Complaint{"ingest.curve", "needs a producers_file: the public keys of those who may publish"};
  }
  if (curve.server_keys.size() != ingest.connect.size()) {
    return Complaint{"ingest.curve",
                     "has " + std::to_string(curve.server_keys.size()) + " server_keys for " +
                         std::to_string(ingest.connect.size()) +
                         " addresses of ingest.connect: give the public key of each, in its order"};
  }
  return std::nullopt;
}

MaybeComplaint check_ingest(const IngestSettings& ingest) {
  if (auto complaint = check_curve(ingest)) return complaint;
  if (ingest.insecure || ingest.curve.enabled()) return std::nullopt;
  for (std::size_t i = 0; i < ingest.bind.size(); ++i) {
    if (auto complaint = check_zmq(ingest.bind[i], path_item("ingest.bind", i))) return complaint;
  }
  for (std::size_t i = 0; i < ingest.connect.size(); ++i) {
    if (auto complaint = check_zmq(ingest.connect[i], path_item("ingest.connect", i))) return complaint;
  }
  return check_zmq(ingest.control, "ingest.control");
}

}  // namespace

std::optional<Complaint> find_complaint(const Draft& draft) {
  const auto& s = draft.settings;
  if (auto complaint = check_endpoints(draft.endpoints, "endpoints")) return complaint;
  if (auto complaint = check_listen(draft)) return complaint;
  if (auto complaint = check_tls(s.tls)) return complaint;
  if (auto complaint = check_auth(s.auth)) return complaint;
  if (auto complaint = check_ingest(s.ingest)) return complaint;
  if (auto complaint = find_socket_complaint(s)) return complaint;
  return find_policy_complaint(s.topics);
}

// Not refused: short tokens are what people try things with, in containers also on 0.0.0.0.
std::optional<std::string> find_warning(const Settings& settings) {
  const auto& token = settings.auth.token;
  if (!settings.auth.enabled || token.empty() || token.size() >= kGoodToken) return std::nullopt;
  const auto& listen = settings.listen;
  const auto open = std::find_if(listen.begin(), listen.end(), [](const ListenSettings& listener) {
    return !is_loopback(listener.address);
  });
  if (open == listen.end()) return std::nullopt;
  return settings.auth.token_place + "the token is shorter than " + std::to_string(kGoodToken) +
         " characters, and other machines can try to guess it at " + open->address +
         ": make a longer one with openssl rand -hex 24";
}

}  // namespace trestle
