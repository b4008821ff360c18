#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace trestle {

/// A web page's origin (RFC 6454): scheme, host and port. Immutable; any thread.
class Origin {
 public:
  /// One that a page may have, as a browser sends it: `https://example.com`, `http://[::1]:8080`. The port is
  /// the scheme's own where none is given. `null` and everything else with no host is an error.
  static Result<Origin> parse(std::string_view text);
  /// One that a configuration allows: the same, and `https://*.example.com` stands for all hosts below
  /// example.com, at any depth, but not for itself.
  static Result<Origin> parse_allowed(std::string_view text);

  /// True if a page at `page` is among those that this allowed origin stands for.
  bool allows(const Origin& page) const;
  /// True if a Host header, of a request that came over `https` or not, names this origin's host and port. A
  /// plain listener may have TLS in front, so there the scheme is the page's own affair.
  bool is_host(std::string_view host_header, bool over_tls) const;
  /// True if nobody else can give that name an address of ours: localhost, what ends in .localhost, and IP
  /// addresses. Any other name's owner can, at any moment (DNS rebinding).
  bool is_beyond_dns() const;

 private:
  static Result<Origin> parse(std::string_view text, bool wildcard);

  std::string scheme_;
  std::string host_;  // lower case; with its brackets if it is IPv6; without "*." if it is one of many
  std::string port_;
  bool subdomains_ = false;
};

}  // namespace trestle
