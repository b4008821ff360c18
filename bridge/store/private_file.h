#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "proto/result.h"

namespace trestle {

/// The most that a small file holds.
inline constexpr std::size_t kMaxSmallFile = 1024 * 1024;

/// Reads a small file whole, and never waits for who writes it: what is no regular file (a pipe, a device, a
/// folder; a link to a regular file is one) is refused. Errors name the path and what the system said; one is
/// that somebody writes the file just then. Bound: kMaxSmallFile.
Result<std::string> read_small_file(const std::filesystem::path& path);

/// Replaces a file's content so that after a crash it is either the old or the new one, never a part: written
/// beside it, flushed to disk, renamed over it. Mode 0600; but owner and group, and a mode of 0640, are kept
/// from the old file as far as this process may, so that a service goes on reading what root writes for it.
/// Errors name the path and what the system said; the old file then stays. A link stays one, and what it
/// leads to is replaced; see behind_links().
Result<std::monostate> write_private_file(const std::filesystem::path& path, std::string_view content);

/// The same for what is no secret and may be read by whatever user a service runs as: mode 0644, or the old
/// file's if that is stricter.
Result<std::monostate> write_public_file(const std::filesystem::path& path, std::string_view content);

/// Why this process could not make a file at that path: its folder is not there, or not ours to write to; in
/// the system's words. Nothing if it could.
std::optional<std::string> fault_of_folder(const std::filesystem::path& path);

/// Why this process could not read and write the file there, in the system's words; nothing if it could.
std::optional<std::string> fault_of_own_file(const std::filesystem::path& path);

/// What is wrong with the mode or the owner of a file that holds a secret, as the rest of a line that starts
/// with its name: "is a secret that others can read (mode 0644): chmod 600 …". Nobody but its owner may
/// change it, and only its group may read it too: a file of root's for a service that goes on as another
/// user. Its owner is root, who this process runs as, or one that was named to accept_secrets_of(). Nothing
/// if it is not there: who opens it says so.
std::optional<std::string> fault_of_secret(const std::filesystem::path& path);

/// From now on fault_of_secret() also accepts that owner, in place of one named before: the user that this
/// process will go on as, or the one that it writes the file for. Before threads start.
void accept_secrets_of(uid_t owner);

/// The same of a file that may be read by all but decides who is let in: it must not be theirs to change.
std::optional<std::string> fault_of_rules(const std::filesystem::path& path);

}  // namespace trestle
