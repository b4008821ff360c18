#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <variant>

#include "proto/result.h"

namespace trestle {

/// Nothing that this process might be made to start gains rights from a file, and unless `core_dumps` it
/// leaves no core file and nobody but root may look into its memory: tokens and keys are in there. Before
/// threads start.
void harden_process(bool core_dumps);

/// The user of that name; nothing if there is none on this machine, or the name is empty.
std::optional<uid_t> id_of(const std::string& user);

/// Goes on as `user` for good: with that user's groups, without root's. Empty: stays what it is.
/// Before threads start. Errors are the rest of a line that starts with the key, and say what to do: no such
/// user, or not started as root.
Result<std::monostate> become(const std::string& user);

}  // namespace trestle
