#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "bridge/core/producer_grant.h"
#include "proto/result.h"

namespace trestle {

/// Who may connect to a CURVE socket: public keys (Z85) and what their holders may do. Immutable; any thread.
///
///     producers:
///       - name: worker-1
///         key: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"     # the line that `trestle keygen` prints
///         ids: [worker-1, "worker-1-*"]     # optional: the producer ids that it may go by
///         topics: ["command-progress.*"]    # optional: what it may publish
class ProducerList {
 public:
  /// Errors are one line with the file, the line and what to do. Keys and names are unique. A file with a
  /// fault_of_rules() is refused. Never throws.
  static Result<ProducerList> load(const std::filesystem::path& path);
  /// The same of a text, for which `path` stands in errors.
  static Result<ProducerList> parse(std::string_view text, const std::filesystem::path& path);

  /// Nullptr if the key is not listed.
  const ProducerGrant* find(std::string_view key) const;
  std::size_t size() const { return by_key_.size(); }
  /// True if every key of `other` is here too.
  bool has_all_of(const ProducerList& other) const;

 private:
  std::map<std::string, ProducerGrant, std::less<>> by_key_;
};

}  // namespace trestle
