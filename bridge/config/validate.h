#pragma once
#include <optional>
#include <string>

#include "bridge/config/keys.h"

namespace trestle {

/// What does not fit together although each value alone is right.
struct Complaint {
  std::string path;  ///< of the value to change, as in Places: `listen[0].tls`
  std::string message;
};

/// Checks a draft before its listeners have inherited the top-level endpoints.
std::optional<Complaint> find_complaint(const Draft& draft);
/// The part of it that is about sockets that can't be bound beside each other.
std::optional<Complaint> find_socket_complaint(const Settings& settings);
/// The part of it that is about `topics`.
std::optional<Complaint> find_policy_complaint(const std::vector<Policy>& topics);

/// What is allowed in loaded settings and yet probably not meant, as the whole line, without the token;
/// nothing if all is well.
std::optional<std::string> find_warning(const Settings& settings);

}  // namespace trestle
