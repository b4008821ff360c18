#include "bridge/check.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "bridge/auth/authority.h"
#include "bridge/config/validate.h"
#include "bridge/front/tls.h"
#include "bridge/front/tls_stream.h"
#include "bridge/ingest/curve_files.h"
#include "bridge/ingest/zmq_bind.h"
#include "bridge/privileges.h"
#include "bridge/store/journaled_stream.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

using MaybeError = std::optional<Error>;

MaybeError check_tls(const Settings& settings) {
  const auto& listen = settings.listen;
  const auto uses_tls = [](const ListenSettings& listener) { return listener.tls; };
  if (std::none_of(listen.begin(), listen.end(), uses_tls)) return std::nullopt;
  const auto loaded = TlsContext::load(settings.tls, std::make_shared<TlsFailures>());
  return loaded ? std::nullopt : MaybeError(loaded.error());
}

MaybeError check_stream(const StreamSettings& stream) {
  if (stream.path == ":memory:") return std::nullopt;
  auto fault = JournaledStream::find_fault(stream);
  if (fault) fault->message = stream.place + fault->message;
  return fault;
}

MaybeError check_ingest(const IngestSettings& ingest) {
  if (ingest.curve.enabled()) {
    if (const auto files = open_curve_files(ingest.curve); !files) return files.error();
  }
  for (const auto& address : ingest.bind) {
    if (const auto why = find_bind_fault(address)) return cannot_bind("ingest.bind", address, *why);
  }
  const auto why = find_bind_fault(ingest.control);
  return why ? MaybeError(cannot_bind("ingest.control", ingest.control, *why)) : std::nullopt;
}

// A start reads these as root first, and then again as the user who will have to read them later.
MaybeError check_again(Authority& authority, const Settings& settings) {
  if (const auto readable = authority.reload(); !readable) return as_user(settings, readable.error());
  const auto error = check_tls(settings);
  return error ? MaybeError(as_user(settings, *error)) : std::nullopt;
}

// Whoever checks need not be root, as whoever starts has to be.
bool may_become(uid_t user) { return ::geteuid() == 0 || ::geteuid() == user; }

}  // namespace

Error as_user(const Settings& settings, const Error& error) {
  return Error{error.message + " (as user " + settings.user + ", who reads it again later)"};
}

std::vector<std::string> warnings_of(const Settings& settings, const std::filesystem::path& token_file) {
  std::vector<std::string> warnings;
  // Not refused: it reads, and never grants more than reading.
  if (const auto fault = fault_of_secret(token_file)) {
    warnings.push_back(settings.auth.token_place + token_file.string() + " " + *fault);
  }
  if (auto warning = find_warning(settings)) warnings.push_back(std::move(*warning));
  return warnings;
}

Result<std::vector<std::string>> check_files(const Settings& settings,
                                             const std::filesystem::path& token_file) {
  auto warnings = warnings_of(settings, token_file);
  auto authority = Authority::make(settings.auth);
  if (!authority) return authority.error();
  if (const auto error = check_tls(settings)) return *error;
  const auto user = id_of(settings.user);
  if (user && !may_become(*user)) {
    warnings.push_back(settings.user_place +
                       "the files were looked at as who you are, for only root can become \"" +
                       settings.user + "\"; start trestled as root");
  } else if (auto became = become(settings.user); !became) {
    return Error{settings.user_place + became.error().message};
  } else if (!settings.user.empty()) {
    if (const auto error = check_again(**authority, settings)) return *error;
  }
  if (const auto error = check_stream(settings.stream)) return *error;
  if (const auto error = check_ingest(settings.ingest)) return *error;
  if (const auto room = (*authority)->check_first_token(); !room) return room.error();
  if (const auto warning = (*authority)->warning()) warnings.push_back(*warning);
  return warnings;
}

}  // namespace trestle
